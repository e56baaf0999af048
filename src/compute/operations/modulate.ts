import { formatShape, sameDim } from '../dim.js';
import { shapeOf, type NodeBuilder } from '../node-builder.js';
import type { NodeWriter } from '../lowering/onnx/nodes.js';
import type { Value } from '../value.js';
import { computedOnCpu, defineOperation } from './definition.js';

/**
 * x · (1 + scale) + shift on N×T×C: a norm whose scale and shift depend on the time (Peebles and Xie, "Scalable Diffusion Models with
 * Transformers", 2023). Both are N×C or N×1×C, the same for all tokens, or N×T×C.
 */
export interface Modulate {
  readonly kind: 'modulate';
  readonly x: Value;
  readonly scale: Value;
  readonly shift: Value | undefined;
}

/** Throws unless `by` is N×C, N×1×C or N×T×C beside `x`. */
export function checkPerToken(graph: NodeBuilder<never>, x: Value, by: Value, kind: string): void {
  const [batch, tokens, features] = shapeOf(graph, x, 3, kind);
  const { shape } = by;
  const ofTokens = shape.length === 3 ? [shape[1]!] : [];
  graph.check(
    (shape.length === 2 || shape.length === 3) &&
      sameDim(shape[0]!, batch) &&
      shape.at(-1) === features &&
      ofTokens.every((dim) => dim === 1 || sameDim(dim, tokens)),
    `${kind} of ${formatShape(x.shape)} can't take ${formatShape(shape)}`,
  );
}

/** The name of a value that goes with N×T×C; `axis` is that of tokens. */
export function besideTokens(nodes: NodeWriter, name: string, value: Value, axis: number): string {
  return value.shape.length === 3 ? name : nodes.node('Unsqueeze', [name, nodes.model.ints([axis])]);
}

export const modulate = defineOperation<Modulate>()({
  kind: 'modulate',
  operands: { x: true, scale: true, shift: true },
  weights: {},
  build: {
    modulate(graph: NodeBuilder<Modulate>, x: Value, scale: Value, shift?: Value): Value {
      checkPerToken(graph, x, scale, 'modulate');
      if (shift !== undefined) checkPerToken(graph, x, shift, 'modulate');
      return graph.emit({ kind: 'modulate', x, scale, shift }, x.shape);
    },
  },
  cost: ({ shift }, { results }) => ({ flops: results * (shift === undefined ? 1 : 2) }),
  onnx: {
    plain: (operation, context) => lower(operation, context, (value) => context.name(value), 1),
    channelMajor: (operation, context) => lower(operation, context, (value) => context.name(value), 2),
  },
  cuda: computedOnCpu,
});

function lower(
  { x, scale, shift }: Modulate,
  nodes: NodeWriter,
  name: (value: Value) => string,
  axis: number,
): string {
  const factor = nodes.node('Add', [
    besideTokens(nodes, name(scale), scale, axis),
    nodes.model.floats([], [1]),
  ]);
  const scaled = nodes.node('Mul', [name(x), factor]);
  return shift === undefined
    ? scaled
    : nodes.node('Add', [scaled, besideTokens(nodes, name(shift), shift, axis)]);
}
