/** What of a workflow can run: its nodes with their inputs checked. */
import type { AnyNodeClass } from '../nodes/definition.js';
import type { InputTable } from './input-table.js';
import type { Edge } from './links.js';
import type { Workflow } from './parse.js';
import type { PlannedInput } from './planned-input.js';

export interface PlannedNode {
  readonly id: string;
  readonly nodeClass: AnyNodeClass;
  /** Given inputs that the class knows, converted to their types; others are ignored, as in ComfyUI. */
  readonly inputs: ReadonlyMap<string, PlannedInput>;
  /** The inputs that the class has here. */
  readonly table: InputTable;
}

export interface Plan {
  readonly workflow: Workflow;
  /** What the outputs need, by id. */
  readonly nodes: ReadonlyMap<string, PlannedNode>;
  /** Ids of the output nodes that are sound, in the workflow's order. */
  readonly outputs: readonly string[];
}

export function plannedEdges(node: PlannedNode): readonly Edge[] {
  const edges: Edge[] = [];
  for (const [input, planned] of node.inputs) {
    if (planned.kind === 'link') edges.push({ input, from: planned.from });
  }
  return edges;
}

/** A node's links, and which of them are lazy; those of dynamic inputs are never lazy, as in ComfyUI (graph.py, get_input_info of the class alone). */
export function linksToWaitFor({
  inputs,
  table,
}: PlannedNode): { readonly from: string; readonly lazy: boolean }[] {
  const links: { from: string; lazy: boolean }[] = [];
  for (const [name, input] of inputs) {
    if (input.kind !== 'link') continue;
    const known = table.inputs.get(name);
    links.push({ from: input.from, lazy: known?.spec.lazy === true && known.path === undefined });
  }
  return links;
}
