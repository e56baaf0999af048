/**
 * Which operations are computed together with the one before them. Convolutions and linear layers take what follows into the
 * pass that writes their results: sums per channel, an activation, a residual, in that order; group norm takes silu.
 */
import type { Graph, GraphNode, Operation, Value } from '../../graph.js';
import type { Weight } from '../../weight.js';

/** A product or a group norm, and what it takes along. */
export interface Fusion {
  /** In the order of the graph; the output is the last one's. */
  readonly nodes: GraphNode[];
  /** N×C, added to every pixel. */
  sums?: Value;
  activation?: FusedActivation;
  /** Instead of `activation`, a leaky relu's slope: one for all channels, or one for each. */
  slope?: number | Weight;
  residual?: Value;
}

export type FusedActivation = 'silu' | 'gelu' | 'quick_gelu' | 'geglu';

/**
 * What each node is computed with; a fusion is emitted at its last node, where all operands are at hand. `leaky` for backends
 * whose products take relus and leaky ones.
 */
export function planFusions(
  graph: Graph,
  { leaky = false }: { readonly leaky?: boolean } = {},
): ReadonlyMap<GraphNode, Fusion> {
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
      if (isLeaky(next.operation) && !leaky) break;
      if (!absorb(fusion, last.output, next.operation)) break;
      fusion.nodes.push(next);
      plan.set(next, fusion);
    }
  }
  return plan;
}

function isLeaky(operation: Operation): boolean {
  const { kind } = operation;
  return (
    kind === 'leaky_relu' || kind === 'prelu' || (kind === 'activation' && operation.function === 'relu')
  );
}

/**
 * Convolutions that ONNX Runtime has the faster kernel for: ours lays every tap of every pixel out, which pays when many output
 * channels read it (5×5 and more with 16 outputs took half the time there).
 */
export function isLargeAndNarrow(operation: Operation): boolean {
  if (operation.kind !== 'conv2d') return false;
  const [outputs = 0, , height = 0, width = 0] = operation.weight.shape;
  return operation.stride === 1 && height * width >= 25 && outputs <= 32;
}

/** Extends the fusion, whose output so far is `value`, by `next` if its kernel can do that too. */
function absorb(fusion: Fusion, value: Value, next: Operation): boolean {
  const [first] = fusion.nodes;
  const { kind } = first!.operation;
  if (isLargeAndNarrow(first!.operation)) return false;
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
  if (fusion.activation !== undefined || fusion.slope !== undefined) return false;
  if (next.kind === 'activation') {
    if (next.function === 'relu') {
      fusion.slope = 0;
      return true;
    }
    if (next.function !== 'silu' && next.function !== 'gelu' && next.function !== 'quick_gelu') return false;
    fusion.activation = next.function;
    return true;
  }
  if (next.kind === 'leaky_relu' || next.kind === 'prelu') {
    fusion.slope = next.slope;
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

/**
 * Joined channels that only convolutions read, by the id of the joined value: these read the parts where they lie, so that
 * nothing is copied.
 */
export function planJoins(graph: Graph): ReadonlyMap<number, readonly Value[]> {
  const consumers = consumersOf(graph);
  const joins = new Map<number, readonly Value[]>();
  for (const { operation, output } of graph.nodes) {
    if (operation.kind !== 'concat' || operation.axis !== 1 || output.shape.length !== 4) continue;
    const readers = consumers.get(output.id) ?? [];
    const convolutions = readers.every(
      (reader) =>
        reader?.operation.kind === 'conv2d' &&
        reader.operation.x.id === output.id &&
        !isLargeAndNarrow(reader.operation),
    );
    if (convolutions && operation.values.length <= mostParts) joins.set(output.id, operation.values);
  }
  return joins;
}

/** What the kernel takes: native/onnx/operators.cc, Convolution. */
const mostParts = 8;

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
    case 'channel_attention':
      return [operation.query, operation.key, operation.value];
    case 'window_attention': {
      const { query, key, value, regions } = operation;
      return regions === undefined ? [query, key, value] : [query, key, value, regions];
    }
    case 'tiled_attention':
      return [operation.query, operation.key, operation.value, operation.tiles];
    case 'attention_received':
      return [operation.query, operation.key, ...(operation.tiles === undefined ? [] : [operation.tiles])];
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
    case 'scale_per_channel':
      return [operation.x, operation.v];
    case 'resize_to':
      return [operation.x, operation.to];
    case 'sample_offsets':
      return [operation.x, operation.offsets];
    case 'join_windows':
    case 'join_combs':
    case 'crop_like':
      return [operation.x, operation.like];
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
