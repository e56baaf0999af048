/** The nodes of a run: the workflow's own, and those that others have expanded into (ComfyUI's DynamicPrompt). */
import type { DynamicPrompt } from '../nodes/hidden.js';
import type { Plan, PlannedNode } from './plan.js';

export class RunningGraph implements DynamicPrompt {
  private readonly expanded = new Map<
    string,
    { readonly node: PlannedNode; readonly parent: string; readonly display: string }
  >();

  constructor(private readonly plan: Plan) {}

  has(id: string): boolean {
    return this.expanded.has(id) || this.plan.nodes.has(id);
  }

  /** Throws for an unknown id, which no link of a planned node has. */
  planned(id: string): PlannedNode {
    const node = this.expanded.get(id)?.node ?? this.plan.nodes.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  add(node: PlannedNode, parent: string, display: string): void {
    this.expanded.set(node.id, { node, parent, display });
  }

  parentOf(id: string): string | undefined {
    return this.expanded.get(id)?.parent;
  }

  /** The node of the workflow itself that has, by way of others, expanded into this one. */
  realOf(id: string): string {
    let at = id;
    for (let parent = this.parentOf(at); parent !== undefined; parent = this.parentOf(at)) at = parent;
    return at;
  }

  displayOf(id: string): string {
    let at = id;
    for (let shown = this.expanded.get(at); shown !== undefined; shown = this.expanded.get(at)) {
      if (shown.display === at) break;
      at = shown.display;
    }
    return at;
  }

  node(id: string): ReturnType<DynamicPrompt['node']> {
    const planned = this.expanded.get(id)?.node ?? this.plan.nodes.get(id);
    if (planned === undefined) return undefined;
    const inputs = [...planned.inputs].map(([name, input]) => [
      name,
      input.kind === 'link' ? [input.from, input.slot] : input.value,
    ]);
    return {
      class_type: planned.nodeClass.name,
      inputs: Object.fromEntries(inputs) as Readonly<Record<string, unknown>>,
    };
  }

  /** ComfyUI's name of the type of an output; of one that follows an input, that of what is linked there. */
  typeOf(id: string, slot: number): string | undefined {
    for (let at = { id, slot }; ;) {
      const node = this.planned(at.id);
      const output = node.nodeClass.outputs[at.slot];
      if (output?.template === undefined) return output?.type;
      const matched = [...node.inputs].find(([name]) => {
        const spec = node.table.inputs.get(name)?.spec;
        return spec?.kind === 'MATCH' && spec.template === output.template;
      })?.[1];
      if (matched === undefined) return output.type;
      if (matched.kind === 'constant') return matched.type ?? output.type;
      at = { id: matched.from, slot: matched.slot };
    }
  }

  /** Of what a node's inputs are given, by name. */
  receivedTypes(node: PlannedNode): Readonly<Record<string, string>> {
    const types = [...node.inputs].flatMap(([name, input]): [string, string][] => {
      const type = input.kind === 'link' ? this.typeOf(input.from, input.slot) : input.type;
      return type === undefined ? [] : [[name, type]];
    });
    return Object.fromEntries(types);
  }
}
