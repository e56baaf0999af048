import type { NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation, inEitherOrder } from './definition.js';

/** x·tanh(ln(1 + eˣ)). */
export interface Mish {
  readonly kind: 'mish';
  readonly x: Value;
}

/** x·t / (2 − t), t = s·(2 − s), s = σ(x): of these ONNX Runtime has fast kernels, of softplus none. */
function lower({ x: operand }: Mish, nodes: OnnxContext): string {
  const x = nodes.name(operand);
  const two = nodes.model.floats([], [2]);
  const s = nodes.node('Sigmoid', [x]);
  const t = nodes.node('Mul', [s, nodes.node('Sub', [two, s])]);
  return nodes.node('Mul', [x, nodes.node('Div', [t, nodes.node('Sub', [two, t])])]);
}

export const mish = defineOperation<Mish>()({
  kind: 'mish',
  operands: { x: true },
  weights: {},
  build: {
    mish: (graph: NodeBuilder<Mish>, x: Value): Value => graph.emit({ kind: 'mish', x }, x.shape),
  },
  cost: (_, { results }) => ({ flops: results * 5 }),
  onnx: inEitherOrder(lower),
  cuda: computedOnCpu,
});
