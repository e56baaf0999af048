/** Short ways to write ONNX's own operators. */
import type { Attributes, OnnxModel } from './model.js';

/** What writes nodes of a model: either lowering's context. */
export interface NodeWriter {
  readonly model: OnnxModel;
  node(operator: string, inputs: readonly string[], attributes?: Attributes): string;
}

/** ONNX's numbers of element types, which `Cast` takes. */
export const FLOAT = 1;
export const INT64 = 7;

/** `Resize` as torch's bilinear interpolation, align_corners false. */
export const BILINEAR = { mode: 'linear', coordinate_transformation_mode: 'half_pixel' } as const;

/** Entries [from, to) of the extents of `x`, as an int64 vector. */
export function extents(nodes: NodeWriter, x: string, from: number, to: number): string {
  return nodes.node('Shape', [x], { start: from, end: to });
}

/** int64 vectors, given by name or as constants, one behind the other. */
export function join(nodes: NodeWriter, ...parts: readonly (string | readonly number[])[]): string {
  const names = parts.map((part) => (typeof part === 'string' ? part : nodes.model.ints(part)));
  return nodes.node('Concat', names, { axis: 0 });
}

/** Entries [from, to) along an axis. */
export function slice(nodes: NodeWriter, x: string, axis: number, from: number, to: number): string {
  const { model } = nodes;
  return nodes.node('Slice', [x, model.ints([from]), model.ints([to]), model.ints([axis])]);
}

/** Entry `index` of an int64 vector, as a vector of one. */
export function entry(nodes: NodeWriter, vector: string, index: number): string {
  return slice(nodes, vector, 0, index, index + 1);
}

/** 0, step, 2·step … below `count`, an int64 vector of one. */
export function range(nodes: NodeWriter, count: string, step = 1): string {
  const [from, to, by] = [nodes.model.ints([0]), count, nodes.model.ints([step])].map((vector) =>
    nodes.node('Squeeze', [vector]),
  );
  return nodes.node('Range', [from!, to!, by!]);
}

/** torch's pixel_shuffle: N×(C·f²)×H×W → N×C×(H·f)×(W·f). */
export function pixelShuffle(nodes: NodeWriter, x: string, factor: number): string {
  return nodes.node('DepthToSpace', [x], { blocksize: factor, mode: 'CRD' });
}

/** torch.nn.functional.normalize along an axis. */
export function unitLength(nodes: NodeWriter, x: string, axis: number): string {
  const { model } = nodes;
  const length = nodes.node('ReduceL2', [x, model.ints([axis])], { keepdims: 1 });
  return nodes.node('Div', [x, nodes.node('Max', [length, model.floats([], [1e-12])])]);
}
