/** Writes workflows in ComfyUI's API format, node by node. */

/** An output of a node that was added. */
export type Link = readonly [node: string, output: number];

export type WrittenInput = string | number | boolean | Link;

interface WrittenNode {
  readonly class_type: string;
  readonly inputs: Readonly<Record<string, WrittenInput>>;
  readonly _meta: { readonly title: string };
}

export class WorkflowWriter {
  private readonly nodes = new Map<string, WrittenNode>();
  private readonly made = new Map<string, string>();

  /** How many nodes there are. */
  get size(): number {
    return this.nodes.size;
  }

  /** Adds a node and gives its id; the same node twice is one. */
  node(classType: string, inputs: Readonly<Record<string, WrittenInput>>, title = classType): string {
    const key = JSON.stringify([classType, inputs]);
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const id = String(this.nodes.size + 1);
    this.nodes.set(id, { class_type: classType, inputs, _meta: { title } });
    this.made.set(key, id);
    return id;
  }

  /** The first output of a node, which is added. */
  add(classType: string, inputs: Readonly<Record<string, WrittenInput>>, title?: string): Link {
    return [this.node(classType, inputs, title), 0];
  }

  /** The workflow as JSON text. */
  text(): string {
    return JSON.stringify(Object.fromEntries(this.nodes));
  }
}
