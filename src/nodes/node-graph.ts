/** Graphs that nodes expand into (ComfyUI comfy_execution/graph_utils.py, GraphBuilder). */

/** An output of a node: its id and which of its outputs. */
export type GraphLink = readonly [node: string, slot: number];

export interface NodeGraphEntry {
  readonly class_type: string;
  /** Values, or links to other nodes' outputs. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Id of the node that is shown as the one at work; the expanding one when left out. */
  readonly override_display_id?: string;
}

/** Nodes by id. */
export type NodeGraph = Readonly<Record<string, NodeGraphEntry>>;

export function isGraphLink(value: unknown): value is GraphLink {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}

/** A node that is being added to a graph. */
export class NewNode {
  constructor(
    readonly id: string,
    private readonly classType: string,
    private readonly inputs: Record<string, unknown>,
  ) {}

  private displayId: string | undefined;

  /** Its output of that index, to give to an input of another node, or to return from the expanding one. */
  out(slot: number): GraphLink {
    return [this.id, slot];
  }

  /** Undefined takes the input away. */
  setInput(name: string, value: unknown): this {
    if (value === undefined) Reflect.deleteProperty(this.inputs, name);
    else this.inputs[name] = value;
    return this;
  }

  /** Shows another node as the one at work while this one is: the editor's node that it stands for. */
  showAs(id: string): this {
    this.displayId = id;
    return this;
  }

  finished(): NodeGraphEntry {
    const shown = this.displayId === undefined ? {} : { override_display_id: this.displayId };
    return { class_type: this.classType, inputs: { ...this.inputs }, ...shown };
  }
}

/**
 * Builds a graph to return as `expand`. Ids begin with the expanding node's, the index of its call and the graph's:
 * `5.0.0.1`.
 */
export class NodeGraphBuilder {
  private readonly nodes = new Map<string, NewNode>();
  private next = 1;

  /** `RunContext.newGraph` gives the prefix. */
  constructor(readonly prefix: string) {}

  /** Adds a node, numbered when `id` is left out; one that is there already is returned as it is. */
  node(classType: string, inputs: Readonly<Record<string, unknown>> = {}, id = String(this.next++)): NewNode {
    const whole = this.prefix + id;
    const known = this.nodes.get(whole);
    if (known !== undefined) return known;
    const node = new NewNode(whole, classType, { ...inputs });
    this.nodes.set(whole, node);
    return node;
  }

  finalize(): NodeGraph {
    return Object.fromEntries([...this.nodes].map(([id, node]) => [id, node.finished()]));
  }
}
