import { formatShape } from '../dim.js';
import type { NodeWriter } from '../lowering/onnx/nodes.js';
import type { NodeBuilder } from '../node-builder.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';
import { checkIndices } from './shared/attention.js';

/**
 * Rows of N×T×C led away from others (`away`, N row numbers; negative for rows that stay), as far as their norms allow: Chen et al.,
 * "Normalized Attention Guidance", 2025.
 */
export interface GuideAttention {
  readonly kind: 'guide_attention';
  readonly x: Value;
  readonly away: Value;
  readonly scale: number;
  /** The share of what is led in the result. */
  readonly alpha: number;
  /** How much longer it may get. */
  readonly tau: number;
}

/** A norm that divides is no smaller. */
const leastNorm = 1e-6;

function lower(
  nodes: NodeWriter,
  { scale, alpha, tau }: GuideAttention,
  { x, away }: { readonly x: string; readonly away: string },
  axes: { readonly rows: number; readonly channels: number },
): string {
  const { model } = nodes;
  const number = (value: number) => model.floats([], [value]);
  const norm = (value: string) => {
    const sum = nodes.node('ReduceL1', [value, model.ints([axes.channels])], { keepdims: 1 });
    return nodes.node('Max', [sum, number(leastNorm)]);
  };
  const rows = nodes.node('Cast', [away], { to: INT64 });
  const others = nodes.node('Gather', [x, nodes.node('Max', [rows, model.ints([0])])], { axis: axes.rows });
  const led = nodes.node('Sub', [
    nodes.node('Mul', [x, number(scale)]),
    nodes.node('Mul', [others, number(scale - 1)]),
  ]);
  const ratio = nodes.node('Div', [norm(led), norm(x)]);
  const kept = nodes.node('Div', [nodes.node('Min', [ratio, number(tau)]), ratio]);
  const normalised = nodes.node('Mul', [led, kept]);
  const mixed = nodes.node('Add', [
    nodes.node('Mul', [normalised, number(alpha)]),
    nodes.node('Mul', [x, number(1 - alpha)]),
  ]);
  const places = nodes.node('Unsqueeze', [rows, model.ints(axes.rows === 0 ? [1, 2] : [0, 2])]);
  return nodes.node('Where', [nodes.node('GreaterOrEqual', [places, model.ints([0])]), mixed, x]);
}

const INT64 = 7;

export const guideAttention = defineOperation<GuideAttention>()({
  kind: 'guide_attention',
  operands: { x: true, away: true },
  weights: {},
  build: {
    guideAttention(
      graph: NodeBuilder<GuideAttention>,
      x: Value,
      away: Value,
      options: Pick<GuideAttention, 'scale' | 'alpha' | 'tau'>,
    ): Value {
      graph.check(x.shape.length === 3, `guide_attention needs N×T×C, got ${formatShape(x.shape)}`);
      checkIndices(graph, away, [x.shape[0]!], 'guide_attention needs an int32 row number a row');
      return graph.emit({ kind: 'guide_attention', x, away, ...options }, x.shape);
    },
  },
  cost: (_, { results }) => ({ flops: 10 * results }),
  onnx: {
    plain: (operation, context) =>
      lower(
        context,
        operation,
        { x: context.name(operation.x), away: context.name(operation.away) },
        { rows: 0, channels: 2 },
      ),
    channelMajor: (operation, context) =>
      lower(
        context,
        operation,
        { x: context.name(operation.x), away: context.name(operation.away) },
        { rows: 1, channels: 0 },
      ),
  },
  cuda: computedOnCpu,
});
