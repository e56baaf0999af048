/**
 * Which operations are computed together with the one before them. Convolutions and linear layers take what follows into the
 * pass that writes their results: sums per channel, an activation, a residual, in that order; group norm takes silu.
 */
import type { Graph, GraphNode, Operation, Value } from '../../graph.js';

/** A product or a group norm, and what it takes along. */
export interface Fusion {
  /** In the order of the graph; the output is the last one's. */
  readonly nodes: GraphNode[];
  /** N×C, added to every pixel. */
  sums?: Value;
  activation?: FusedActivation;
  residual?: Value;
}

export type FusedActivation = 'silu' | 'gelu' | 'quick_gelu' | 'geglu';

/** What each node is computed with; a fusion is emitted at its last node, where all operands are at hand. */
export function planFusions(graph: Graph): ReadonlyMap<GraphNode, Fusion> {
  const consumers = consumersOf(graph);
  const plan = new Map<GraphNode, Fusion>();
  // From the last back: where two products are summed, the later one takes the other's result along.
  for (const first of [...graph.nodes].reverse()) {
    if (plan.has(first)) continue;
    const fusion: Fusion = { nodes: [first] };
    plan.set(first, fusion);
    for (;;) {
      const last = fusion.nodes.at(-1)!;
      const [next, another] = consumers.get(last.output.id) ?? [];
      if (next === undefined || another !== undefined || (plan.get(next)?.nodes.length ?? 0) > 1) break;
      if (!absorb(fusion, last.output, next.operation)) break;
      fusion.nodes.push(next);
      plan.set(next, fusion);
    }
  }
  return plan;
}

/** Extends the fusion, whose output so far is `value`, by `next` if its kernel can do that too. */
function absorb(fusion: Fusion, value: Value, next: Operation): boolean {
  const { kind } = fusion.nodes[0]!.operation;
  if (kind === 'group_norm') {
    if (next.kind !== 'activation' || next.function !== 'silu' || fusion.activation) return false;
    fusion.activation = 'silu';
    return true;
  }
  if ((kind !== 'conv2d' && kind !== 'linear') || fusion.residual !== undefined) return false;
  if (next.kind === 'add' && next.a.id !== next.b.id) {
    fusion.residual = next.a.id === value.id ? next.b : next.a;
    return true;
  }
  if (fusion.activation !== undefined) return false;
  if (next.kind === 'activation') {
    if (next.function !== 'silu' && next.function !== 'gelu' && next.function !== 'quick_gelu') return false;
    fusion.activation = next.function;
    return true;
  }
  if (next.kind === 'geglu' && kind === 'linear') {
    fusion.activation = 'geglu';
    return true;
  }
  if (
    next.kind === 'add_per_channel' &&
    kind === 'conv2d' &&
    next.x.id === value.id &&
    fusion.sums === undefined
  ) {
    fusion.sums = next.v;
    return true;
  }
  return false;
}

/** Who reads each value, once for every operand; a graph's output is read by an output, not a node. */
function consumersOf(graph: Graph): ReadonlyMap<number, readonly (GraphNode | undefined)[]> {
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

export function operandsOf(operation: Operation): readonly Value[] {
  switch (operation.kind) {
    case 'attention':
      return [operation.query, operation.key, operation.value];
    case 'tiled_attention':
      return [operation.query, operation.key, operation.value, operation.tiles];
    case 'attention_received':
      return [operation.query, operation.key];
    case 'token_groups':
      return [operation.x, operation.order, operation.counts];
    case 'merge_tokens':
      return [operation.x, operation.groups, operation.counts];
    case 'unmerge_tokens':
      return [operation.x, operation.groups];
    case 'scale_channels':
      return operation.map === undefined ? [operation.x] : [operation.x, operation.map];
    case 'add':
      return [operation.a, operation.b];
    case 'add_per_channel':
      return [operation.x, operation.v];
    case 'concat':
      return operation.values;
    case 'upsample_nearest':
      return typeof operation.to === 'number' ? [operation.x] : [operation.x, operation.to];
    case 'tokens_to_spatial':
      return [operation.x, operation.like];
    case 'select_token':
      return [operation.x, operation.index];
    case 'broadcast':
      return [operation.a, operation.b];
    case 'constant':
      return [];
    case 'select_rows':
      return [operation.scores];
    default:
      return [operation.x];
  }
}
