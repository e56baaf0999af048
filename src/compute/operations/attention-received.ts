import { SymbolicDim, type Dim } from '../dim.js';
import type { NodeBuilder } from '../node-builder.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { checkAttention, checkTiles, SOFTMAX_FLOPS } from './shared/attention.js';
import { TileCut } from './shared/tiles.js';

/**
 * How much each key is attended to, N×T: Σ over queries of softmax(q·kᵀ/√d), averaged over heads; with `tiles`, as
 * `tiled_attention` takes them, averaged over these, too, N×T/(nh·nw).
 */
export interface AttentionReceived {
  readonly kind: 'attention_received';
  readonly query: Value;
  readonly key: Value;
  readonly heads: number;
  readonly tiles: Value | undefined;
}

/** On channel-major operands; the result is T×N. */
function lower(
  nodes: NodeWriter,
  operation: AttentionReceived,
  query: string,
  key: string,
  tiles: string | undefined,
): string {
  const { model } = nodes;
  const { heads } = operation;
  const headDim = Number(operation.query.shape[2]) / heads;
  const cut = tiles === undefined ? undefined : new TileCut(nodes, tiles);
  const split = (x: string, perm: readonly number[]): string => {
    const shape = join(nodes, [heads, headDim], extents(nodes, x, 1, 3));
    return nodes.node('Transpose', [nodes.node('Reshape', [x, shape])], { perm });
  };
  const asking = cut === undefined ? query : cut.query(query);
  const asked = cut === undefined ? key : cut.run(key);
  const scores = nodes.node('MatMul', [split(asking, [2, 0, 3, 1]), split(asked, [2, 0, 1, 3])]);
  const scaled = nodes.node('Mul', [scores, model.floats([], [headDim ** -0.5])]);
  const shares = nodes.node('Softmax', [scaled], { axis: -1 });
  const mean = nodes.node('ReduceMean', [shares, model.ints([1])], { keepdims: 0 });
  const received = nodes.node('ReduceSum', [mean, model.ints([1])], { keepdims: 0 });
  const ofRows = cut === undefined ? received : cut.mean(received);
  return nodes.node('Transpose', [ofRows], { perm: [1, 0] });
}

export const attentionReceived = defineOperation<AttentionReceived>()({
  kind: 'attention_received',
  operands: { query: true, key: true, tiles: true },
  weights: {},
  build: {
    attentionReceived(
      graph: NodeBuilder<AttentionReceived>,
      query: Value,
      key: Value,
      heads: number,
      tiles?: Value,
    ): Value {
      checkAttention(graph, query, key, key, heads);
      const [batch, tokens] = key.shape as [Dim, Dim];
      if (tiles !== undefined) checkTiles(graph, tiles);
      const received = tiles === undefined ? tokens : SymbolicDim.symbol('tile');
      return graph.emit({ kind: 'attention_received', query, key, heads, tiles }, [batch, received]);
    },
  },
  cost({ query, key, heads }, { extents }) {
    const [rows, tokens, channels] = extents(query) as [number, number, number];
    const scores = rows * tokens * extents(key)[1]!;
    return { flops: scores * (2 * channels + (SOFTMAX_FLOPS + 2) * heads) };
  },
  onnx: {
    plain(operation, context) {
      const { query, key, tiles } = operation;
      const [asking, asked] = [context.channelsFirst(query), context.channelsFirst(key)];
      return context.swapped(lower(context, operation, asking, asked, tiles && context.name(tiles)));
    },
    channelMajor(operation, context) {
      const { query, key, tiles } = operation;
      const named = tiles && context.name(tiles);
      return lower(context, operation, context.name(query), context.name(key), named);
    },
  },
  cuda: computedOnCpu,
});
