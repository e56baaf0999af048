import { formatShape, sameDim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import { slice, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { PlainContext } from '../lowering/onnx/plain-context.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { SOFTMAX_FLOPS } from './shared/attention.js';

/**
 * softmax(scale·q·kᵀ + down + across)·v per head, of pictures' tokens, W×(height·width)×(heads·d): what a query adds to a score is its
 * product with the vector for how far a key lies below it, and with the one for how far on its right (MViTv2's decomposed positions).
 */
export interface PositionedAttention {
  readonly kind: 'positioned_attention';
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  readonly scale: number;
  /** height×d×height: of each row of queries, the vectors for each row of keys. */
  readonly rows: Weight;
  /** width×d×width */
  readonly columns: Weight;
}

/** Scores of more tokens are computed for one head after the other: 16 heads of 64×64 places would take a gigabyte at once. */
const MOST_TOKENS_AT_ONCE = 1024;

interface Operands {
  /** heads×W×T×d */
  readonly query: string;
  /** heads×W×d×T */
  readonly keyTransposed: string;
  /** heads×W×T×d */
  readonly value: string;
  readonly rows: string;
  readonly columns: string;
}

function attend(nodes: NodeWriter, operation: PositionedAttention, operands: Operands): string {
  const { model } = nodes;
  const [height, width] = [operation.rows.shape[0]!, operation.columns.shape[0]!];
  const [tokens, features] = [height * width, operation.rows.shape[1]!];
  const { query, keyTransposed, value } = operands;
  const cut = nodes.node('Reshape', [query, model.ints([0, 0, height, width, features])]);
  const down = nodes.node('MatMul', [cut, operands.rows]);
  const turned = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 2, 4] });
  const across = nodes.node('Transpose', [nodes.node('MatMul', [turned, operands.columns])], {
    perm: [0, 1, 3, 2, 4],
  });
  const flat = (part: string, lengths: readonly number[]) =>
    nodes.node('Reshape', [part, model.ints([0, 0, tokens, ...lengths])]);
  const scaled = nodes.node('Mul', [query, model.floats([], [operation.scale])]);
  const scores = flat(nodes.node('MatMul', [scaled, keyTransposed]), [height, width]);
  const sum = nodes.node('Add', [
    nodes.node('Add', [scores, flat(down, [height, 1])]),
    flat(across, [1, width]),
  ]);
  const shares = nodes.node('Softmax', [flat(sum, [tokens])], { axis: -1 });
  return nodes.node('MatMul', [shares, value]);
}

function attendByHeads(nodes: NodeWriter, operation: PositionedAttention, operands: Operands): string {
  const tokens = operation.rows.shape[0]! * operation.columns.shape[0]!;
  if (tokens <= MOST_TOKENS_AT_ONCE) return attend(nodes, operation, operands);
  const heads = Array.from({ length: operation.heads }, (_, head) => {
    const of = (name: string) => slice(nodes, name, 0, head, head + 1);
    return attend(nodes, operation, {
      ...operands,
      query: of(operands.query),
      keyTransposed: of(operands.keyTransposed),
      value: of(operands.value),
    });
  });
  return nodes.node('Concat', heads, { axis: 0 });
}

function lowerPlain(operation: PositionedAttention, context: PlainContext): string {
  const { query, key, value, heads, rows, columns } = operation;
  const mixed = attendByHeads(context, operation, {
    query: context.splitHeads(query, heads, [2, 0, 1, 3]),
    keyTransposed: context.splitHeads(key, heads, [2, 0, 3, 1]),
    value: context.splitHeads(value, heads, [2, 0, 1, 3]),
    rows: context.weight(rows),
    columns: context.weight(columns),
  });
  const back = context.node('Transpose', [mixed], { perm: [1, 2, 0, 3] });
  return context.node('Reshape', [back, context.model.ints([0, 0, -1])]);
}

function lowerChannelMajor(operation: PositionedAttention, context: ChannelMajorContext): string {
  const { query, key, value, heads, rows, columns } = operation;
  // (heads·d)×W×T → heads×W×T×d, or heads×W×d×T
  const split = (operand: Value, perm: readonly number[]): string =>
    context.node('Transpose', [context.splitHeads(operand, heads)], { perm });
  const mixed = attendByHeads(context, operation, {
    query: split(query, [0, 2, 3, 1]),
    keyTransposed: split(key, [0, 2, 1, 3]),
    value: split(value, [0, 2, 3, 1]),
    rows: context.constant(rows),
    columns: context.constant(columns),
  });
  const back = context.node('Transpose', [mixed], { perm: [0, 3, 1, 2] });
  const tokens = rows.shape[0]! * columns.shape[0]!;
  return context.node('Reshape', [back, context.model.ints([Number(value.shape[2]), -1, tokens])]);
}

export const positionedAttention = defineOperation<PositionedAttention>()({
  kind: 'positioned_attention',
  operands: { query: true, key: true, value: true },
  weights: { rows: true, columns: true },
  build: {
    positionedAttention(
      graph: NodeBuilder<PositionedAttention>,
      query: Value,
      key: Value,
      value: Value,
      heads: number,
      options: Pick<PositionedAttention, 'scale' | 'rows' | 'columns'>,
    ): Value {
      const [, tokens, features] = shapeOf(graph, query, 3, 'positioned_attention');
      const { scale, rows, columns } = options;
      const [height = 0, width = 0] = [rows.shape[0], columns.shape[0]];
      graph.check(
        [key, value].every((other) => other.shape.every((dim, axis) => sameDim(dim, query.shape[axis]!))) &&
          tokens === height * width,
        `positioned_attention needs as many queries, keys and values as ${height}×${width} places, got ${formatShape(query.shape)}`,
      );
      const each = Number(features) / heads;
      graph.check(
        rows.shape.join() === [height, each, height].join() &&
          columns.shape.join() === [width, each, width].join(),
        `positioned_attention with ${heads} heads of ${each} has positions ${formatShape(rows.shape)} and ${formatShape(columns.shape)}`,
      );
      return graph.emit(
        { kind: 'positioned_attention', query, key, value, heads, scale, rows, columns },
        query.shape,
      );
    },
  },
  cost({ query, rows, columns, heads }, { extents }) {
    const [batch, tokens, channels] = extents(query) as [number, number, number];
    const positions = 2 * batch * tokens * channels * (rows.shape[0]! + columns.shape[0]!);
    return { flops: batch * tokens * tokens * (4 * channels + (SOFTMAX_FLOPS + 2) * heads) + positions };
  },
  onnx: { plain: lowerPlain, channelMajor: lowerChannelMajor },
  cuda: computedOnCpu,
});
