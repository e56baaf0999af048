import { pictureSizes } from '../lowering/cuda/context.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { OnnxContext } from '../lowering/onnx/context.js';
import { extents, FLOAT, range, type NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { defineOperation, inEitherOrder } from './definition.js';

/** Multiplies the Fourier modes 0 and −1 of both axes of N×C×H×W by `factor`. */
export interface ScaleLowFrequencies {
  readonly kind: 'scale_low_frequencies';
  readonly x: Value;
  readonly factor: number;
}

/**
 * x + (factor − 1)·Re(A x Bᵀ), where A and B project columns and rows onto the modes 0 and −1: their entries are
 * (1 + exp(−2πi(j − k)/n))/n.
 */
function lower({ x: operand, factor }: ScaleLowFrequencies, nodes: OnnxContext): string {
  const x = nodes.name(operand);
  const rows = projection(nodes, x, 2);
  const columns = projection(nodes, x, 3);
  const through = (left: string, right: string): string =>
    nodes.node('MatMul', [nodes.node('MatMul', [left, x]), right]);
  // The columns' matrices stand on the right: the cosines are symmetric, the sines change sign, and so does i².
  const modes = nodes.node('Add', [
    through(rows.real, columns.real),
    through(rows.imaginary, columns.imaginary),
  ]);
  const change = nodes.node('Mul', [modes, nodes.model.floats([], [factor - 1])]);
  return nodes.node('Add', [x, change]);
}

/** The projection onto the modes 0 and −1 along an axis, n×n. A picture one pixel wide has the mode 0 alone. */
function projection(
  nodes: NodeWriter,
  x: string,
  axis: number,
): { readonly real: string; readonly imaginary: string } {
  const { model } = nodes;
  const extent = extents(nodes, x, axis, axis + 1);
  const places = nodes.node('Cast', [range(nodes, extent)], { to: FLOAT });
  const count = nodes.node('Cast', [extent], { to: FLOAT });
  const apart = nodes.node('Sub', [
    nodes.node('Unsqueeze', [places, model.ints([1])]),
    nodes.node('Unsqueeze', [places, model.ints([0])]),
  ]);
  const angle = nodes.node('Div', [nodes.node('Mul', [apart, model.floats([], [2 * Math.PI])]), count]);
  const others = nodes.node('Sub', [count, model.floats([], [1])]);
  const second = nodes.node('Min', [others, model.floats([], [1])]);
  const weighted = (operator: 'Cos' | 'Sin'): string =>
    nodes.node('Mul', [nodes.node(operator, [angle]), second]);
  const real = nodes.node('Div', [nodes.node('Add', [weighted('Cos'), model.floats([], [1])]), count]);
  return { real, imaginary: nodes.node('Div', [weighted('Sin'), count]) };
}

export const scaleLowFrequencies = defineOperation<ScaleLowFrequencies>()({
  kind: 'scale_low_frequencies',
  operands: { x: true },
  weights: {},
  build: {
    scaleLowFrequencies(graph: NodeBuilder<ScaleLowFrequencies>, x: Value, factor: number): Value {
      shapeOf(graph, x, 4, 'scale_low_frequencies');
      return graph.emit({ kind: 'scale_low_frequencies', x, factor }, x.shape);
    },
  },
  cost({ x }, { results, extents }) {
    const [, , height, width] = extents(x) as [number, number, number, number];
    return { flops: results * (4 * (height + width) + 3) };
  },
  onnx: inEitherOrder(lower),
  cuda({ x: operand, factor }, context, { result }) {
    const { x, out, batch, height, width } = pictureSizes(operand, result, context);
    context.emit({ kind: 'low_frequencies', x, out, batch, height, width, factor });
  },
});
