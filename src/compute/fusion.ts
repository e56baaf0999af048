/**
 * Which operations are computed together with the one before them: kernels take what follows into the pass that writes their
 * results. What can follow, and who takes it, is said by the operations (`asEpilogue`, `takes`).
 */
import type { Epilogue } from './epilogue.js';
import type { Graph, GraphNode } from './graph.js';
import { definitionOf, operandsOf } from './operation.js';
import type { Value } from './value.js';

/** An operation, and what it takes along. */
export interface Fusion {
  /** In the order of the graph; the output is the last one's. */
  readonly nodes: readonly [GraphNode, ...GraphNode[]];
  readonly epilogue: Epilogue;
}

/** The node whose result a fusion writes. */
export function lastOf({ nodes }: Fusion): GraphNode {
  return nodes.at(-1)!;
}

interface GrowingFusion extends Fusion {
  readonly nodes: [GraphNode, ...GraphNode[]];
  epilogue: Epilogue;
}

/**
 * What each node is computed with; a fusion is emitted at its last node, where all operands are at hand. `leaky` for backends
 * whose products take relus and leaky ones.
 */
export function planFusions(
  graph: Graph,
  { leaky = false }: { readonly leaky?: boolean } = {},
): ReadonlyMap<GraphNode, Fusion> {
  const consumers = consumersOf(graph);
  const plan = new Map<GraphNode, GrowingFusion>();
  // From the last back: where two products are summed, the later one takes the other's result along.
  for (const first of [...graph.nodes].reverse()) {
    if (plan.has(first)) continue;
    const fusion: GrowingFusion = { nodes: [first], epilogue: {} };
    plan.set(first, fusion);
    for (;;) {
      const last = lastOf(fusion);
      const [next, another] = consumers.get(last.output.id) ?? [];
      if (next === undefined || another !== undefined || (plan.get(next)?.nodes.length ?? 0) > 1) break;
      const step = definitionOf(next.operation).asEpilogue?.(next.operation, last.output);
      if (step === undefined || (step.part === 'slope' && !leaky)) break;
      if (definitionOf(first.operation).takes?.(first.operation, fusion.epilogue, step) !== true) break;
      fusion.epilogue = { ...fusion.epilogue, [step.part]: step.is };
      fusion.nodes.push(next);
      plan.set(next, fusion);
    }
  }
  return plan;
}

/** Who reads each value, once for every operand; a graph's output is read by an output, not a node. */
export function consumersOf(graph: Graph): ReadonlyMap<number, readonly (GraphNode | undefined)[]> {
  const consumers = new Map<number, (GraphNode | undefined)[]>();
  const read = (value: Value, by: GraphNode | undefined): void => {
    const list = consumers.get(value.id);
    if (list === undefined) consumers.set(value.id, [by]);
    else list.push(by);
  };
  for (const { value } of graph.outputs) read(value, undefined);
  for (const node of graph.nodes) for (const operand of operandsOf(node.operation)) read(operand, node);
  return consumers;
}
