import { formatShape, sameDim, sameShape } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { ChannelMajorContext } from '../lowering/onnx/channel-major-context.js';
import { extents, join, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { PlainContext } from '../lowering/onnx/plain-context.js';
import type { Value } from '../value.js';
import type { Weight } from '../weight.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { SOFTMAX_FLOPS } from './shared/attention.js';

/**
 * softmax(scale·q·kᵀ + bias + mask)·v per head. `bias` is heads×Tq×Tk. `regions` (windows×T×1) numbers the parts of a rolled
 * picture: tokens of different ones hardly see each other (−100).
 */
export interface WindowAttention {
  readonly kind: 'window_attention';
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly heads: number;
  readonly scale: number;
  readonly bias: Weight | undefined;
  readonly regions: Value | undefined;
}

interface Operands {
  /** heads×W×Tq×d */
  readonly query: string;
  /** heads×W×d×Tk */
  readonly keyTransposed: string;
  /** heads×W×Tk×d */
  readonly value: string;
  readonly scale: number;
  readonly bias: string | undefined;
  /** W×T */
  readonly regions: string | undefined;
}

function attend(nodes: NodeWriter, { query, keyTransposed, value, ...options }: Operands): string {
  const { model } = nodes;
  const scaled = options.scale === 1 ? query : nodes.node('Mul', [query, model.floats([], [options.scale])]);
  let scores = nodes.node('MatMul', [scaled, keyTransposed]);
  if (options.bias !== undefined) scores = nodes.node('Add', [scores, options.bias]);
  if (options.regions !== undefined) {
    const [asking, asked] = [2, 1].map((axis) =>
      nodes.node('Unsqueeze', [options.regions!, model.ints([axis])]),
    );
    const same = nodes.node('Equal', [asking!, asked!]);
    const mask = nodes.node('Where', [same, model.floats([], [0]), model.floats([], [-100])]);
    scores = nodes.node('Add', [scores, mask]);
  }
  return nodes.node('MatMul', [nodes.node('Softmax', [scores], { axis: -1 }), value]);
}

function lowerPlain(operation: WindowAttention, context: PlainContext): string {
  const { query, key, value, heads, scale, bias, regions } = operation;
  const mixed = attend(context, {
    query: context.splitHeads(query, heads, [2, 0, 1, 3]),
    keyTransposed: context.splitHeads(key, heads, [2, 0, 3, 1]),
    value: context.splitHeads(value, heads, [2, 0, 1, 3]),
    scale,
    bias: bias && context.reshaped(bias, [heads, 1, ...bias.shape.slice(1)]),
    regions: regions && context.node('Squeeze', [context.name(regions), context.model.ints([2])]),
  });
  const back = context.node('Transpose', [mixed], { perm: [1, 2, 0, 3] });
  return context.node('Reshape', [back, context.model.ints([0, 0, -1])]);
}

function lowerChannelMajor(operation: WindowAttention, context: ChannelMajorContext): string {
  const { query, key, value, heads, scale, bias, regions } = operation;
  // (heads·d)×W×T → heads×W×T×d, or heads×W×d×T
  const split = (operand: Value, perm: readonly number[]): string =>
    context.node('Transpose', [context.splitHeads(operand, heads)], { perm });
  const mixed = attend(context, {
    query: split(query, [0, 2, 3, 1]),
    keyTransposed: split(key, [0, 2, 1, 3]),
    value: split(value, [0, 2, 3, 1]),
    scale,
    bias: bias && context.constant(bias, [heads, 1, ...bias.shape.slice(1)]),
    regions: regions && context.node('Squeeze', [context.name(regions), context.model.ints([0])]),
  });
  const back = context.node('Transpose', [mixed], { perm: [0, 3, 1, 2] });
  const shape = join(context, [Number(value.shape[2])], extents(context, context.name(query), 1, 3));
  return context.node('Reshape', [back, shape]);
}

export const windowAttention = defineOperation<WindowAttention>()({
  kind: 'window_attention',
  operands: { query: true, key: true, value: true, regions: true },
  weights: { bias: true },
  build: {
    windowAttention(
      graph: NodeBuilder<WindowAttention>,
      query: Value,
      key: Value,
      value: Value,
      heads: number,
      options: { readonly scale: number; readonly bias?: Weight; readonly regions?: Value | undefined },
    ): Value {
      const { scale, bias, regions } = options;
      const [windows, tokens, features] = shapeOf(graph, query, 3, 'window_attention');
      const [, asked, keyFeatures] = shapeOf(graph, key, 3, 'window_attention');
      graph.check(
        sameDim(features, keyFeatures) && typeof features === 'number' && features % heads === 0,
        `window_attention with ${heads} heads can't split ${formatShape(query.shape)} and ${formatShape(key.shape)}`,
      );
      graph.check(
        sameShape(key.shape.slice(0, 2), value.shape.slice(0, 2)),
        "window_attention's operands disagree",
      );
      if (bias !== undefined) {
        graph.check(
          bias.shape.join() === [heads, tokens, asked].join(),
          `${bias.name} should have shape [${heads}, ${String(tokens)}, ${String(asked)}], has ${formatShape(bias.shape)}`,
        );
      }
      graph.check(
        regions === undefined || sameShape(regions.shape, [windows, tokens, 1]),
        `window_attention needs a region for each token, got ${formatShape(regions?.shape ?? [])}`,
      );
      return graph.emit({ kind: 'window_attention', query, key, value, heads, scale, bias, regions }, [
        windows,
        tokens,
        value.shape[2]!,
      ]);
    },
  },
  cost({ query, key, heads }, { extents }) {
    const [rows, tokens, channels] = extents(query) as [number, number, number];
    const scores = rows * tokens * extents(key)[1]!;
    return { flops: scores * (4 * channels + SOFTMAX_FLOPS * heads) };
  },
  onnx: { plain: lowerPlain, channelMajor: lowerChannelMajor },
  cuda: computedOnCpu,
});
