/** Which nodes have to run, and when. */
import { reachable, type Edge } from './links.js';
import type { PlannedNode, Plan } from './validate.js';

/**
 * Ids of the nodes to run, each once and after everything that it depends on: what the outputs need, one output after the
 * other in the workflow's order, so that the first picture is saved before work on the second begins. A node for which
 * `isKnown` is true isn't run, nor is what only it needs.
 */
export function executionOrder(plan: Plan, isKnown: (id: string) => boolean): readonly string[] {
  const edgesOf = (id: string) => plannedEdges(plan.nodes.get(id)!).filter(({ from }) => !isKnown(from));
  return reachable(
    plan.outputs.filter((id) => !isKnown(id)),
    edgesOf,
  ).nodes;
}

export function plannedEdges(node: PlannedNode): readonly Edge[] {
  const edges: Edge[] = [];
  for (const [input, planned] of node.inputs) {
    if (planned.kind === 'link') edges.push({ input, from: planned.from });
  }
  return edges;
}
