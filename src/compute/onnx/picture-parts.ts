/**
 * Operations on pictures that both lowerings write with ONNX's own operators, in the graph's order of axes unless a name says
 * otherwise. `NodeWriter` is either lowering's context.
 */
import type { NodeWriter } from './token-parts.js';

const FLOAT = 1;

export interface WindowSize {
  readonly height: number;
  readonly width: number;
}

/** Entries [from, to) of the extents of `x`, as an int64 vector. */
export function extents(nodes: NodeWriter, x: string, from: number, to: number): string {
  return nodes.node('Shape', [x], { start: from, end: to });
}

export function join(nodes: NodeWriter, ...parts: readonly (string | readonly number[])[]): string {
  const names = parts.map((part) => (typeof part === 'string' ? part : nodes.model.ints(part)));
  return nodes.node('Concat', names, { axis: 0 });
}

export function slice(nodes: NodeWriter, x: string, axis: number, from: number, to: number): string {
  const { model } = nodes;
  return nodes.node('Slice', [x, model.ints([from]), model.ints([to]), model.ints([axis])]);
}

/** Rows and columns are the last two axes in either order. */
export function roll(nodes: NodeWriter, x: string, rows: number, columns: number): string {
  return turn(nodes, turn(nodes, x, 2, rows), 3, columns);
}

function turn(nodes: NodeWriter, x: string, axis: number, by: number): string {
  if (by === 0) return x;
  const end = 2 ** 31;
  const parts = [slice(nodes, x, axis, -by, end), slice(nodes, x, axis, 0, -by)];
  return nodes.node('Concat', parts, { axis });
}

/** x·tanh(ln(1 + eˣ)) = x·t / (2 − t), t = s·(2 − s), s = σ(x): of these ONNX Runtime has fast kernels, of softplus none. */
export function mish(nodes: NodeWriter, x: string): string {
  const two = nodes.model.floats([], [2]);
  const s = nodes.node('Sigmoid', [x]);
  const t = nodes.node('Mul', [s, nodes.node('Sub', [two, s])]);
  return nodes.node('Mul', [x, nodes.node('Div', [t, nodes.node('Sub', [two, t])])]);
}

export function resizeTo(nodes: NodeWriter, x: string, to: string): string {
  const sizes = join(nodes, extents(nodes, x, 0, 2), extents(nodes, to, 2, 4));
  return nodes.node('Resize', [x, '', '', sizes], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
}

export function pixelShuffle(nodes: NodeWriter, x: string, factor: number): string {
  return nodes.node('DepthToSpace', [x], { blocksize: factor, mode: 'CRD' });
}

export function pixelUnshuffle(nodes: NodeWriter, x: string, channels: number, factor: number): string {
  const factors = nodes.model.ints([factor, factor]);
  const size = nodes.node('Div', [extents(nodes, x, 2, 4), factors]);
  const [rows, columns] = [entry(nodes, size, 0), entry(nodes, size, 1)];
  const cut = nodes.node('Reshape', [x, join(nodes, [-1], rows, [factor], columns, [factor])]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 2, 4, 1, 3] });
  return nodes.node('Reshape', [moved, join(nodes, [-1, channels * factor ** 2], size)]);
}

/** Entry `index` of an int64 vector, as a vector of one. */
export function entry(nodes: NodeWriter, vector: string, index: number): string {
  return slice(nodes, vector, 0, index, index + 1);
}

/** Where a picture of `x`'s size is read: its pixels' centres plus `offsets`, as grid_sample wants them (DySample.forward). */
export function sampleOffsets(
  nodes: NodeWriter,
  x: string,
  offsets: string,
  {
    channels,
    factor,
    groups,
  }: { readonly channels: number; readonly factor: number; readonly groups: number },
): string {
  const { model } = nodes;
  const size = extents(nodes, x, 2, 4);
  const [rows, columns] = [entry(nodes, size, 0), entry(nodes, size, 1)];
  const centres = (extent: string, shape: readonly number[]): string => {
    const [from, to, step] = [model.ints([0]), extent, model.ints([1])].map((v) =>
      nodes.node('Squeeze', [v]),
    );
    const places = nodes.node('Cast', [nodes.node('Range', [from!, to!, step!])], { to: FLOAT });
    return nodes.node('Reshape', [nodes.node('Add', [places, model.floats([], [0.5])]), model.ints(shape)]);
  };
  const axis = (index: number, extent: string, shape: readonly number[]): string => {
    const half = groups * factor ** 2;
    const moved = nodes.node('Add', [
      slice(nodes, offsets, 1, index * half, (index + 1) * half),
      centres(extent, shape),
    ]);
    const doubled = nodes.node('Mul', [moved, model.floats([], [2])]);
    const whole = nodes.node('Cast', [extent], { to: FLOAT });
    return nodes.node('Sub', [nodes.node('Div', [doubled, whole]), model.floats([], [1])]);
  };
  const places = [axis(0, columns, [1, 1, 1, -1]), axis(1, rows, [1, 1, -1, 1])];
  const larger = nodes.node('Mul', [size, model.ints([factor, factor])]);
  const grids = places.map((place) => {
    const shuffled = pixelShuffle(nodes, place, factor);
    return nodes.node('Reshape', [shuffled, join(nodes, [-1], larger, [1])]);
  });
  const grid = nodes.node('Concat', grids, { axis: 3 });
  const grouped = nodes.node('Reshape', [x, join(nodes, [-1, channels / groups], size)]);
  const read = nodes.node('GridSample', [grouped, grid], {
    mode: 'linear',
    padding_mode: 'border',
    align_corners: 0,
  });
  return nodes.node('Reshape', [read, join(nodes, [-1, channels], larger)]);
}

/** Pictures in channel-major order, C×N×H×W → C×(N·windows)×(height·width). */
export function cutWindows(
  nodes: NodeWriter,
  x: string,
  channels: number,
  { height, width }: WindowSize,
): string {
  const columns = nodes.node('Div', [extents(nodes, x, 3, 4), nodes.model.ints([width])]);
  const cut = nodes.node('Reshape', [x, join(nodes, [channels, -1, height], columns, [width])]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 2, 4] });
  return nodes.node('Reshape', [moved, nodes.model.ints([channels, -1, height * width])]);
}

/** The inverse, with N, H and W of `like`, which is channel-major too. */
export function joinWindows(
  nodes: NodeWriter,
  x: string,
  like: string,
  channels: number,
  { height, width }: WindowSize,
): string {
  const columns = nodes.node('Div', [extents(nodes, like, 3, 4), nodes.model.ints([width])]);
  const cut = nodes.node('Reshape', [x, join(nodes, [channels, -1], columns, [height, width])]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 2, 4] });
  return nodes.node('Reshape', [moved, join(nodes, [channels], extents(nodes, like, 1, 4))]);
}

/** Rows and columns are the last two axes in either order. */
export function padMultiple(nodes: NodeWriter, x: string, multiple: number): string {
  const { model } = nodes;
  const over = nodes.node('Mod', [extents(nodes, x, 2, 4), model.ints([multiple, multiple])]);
  const missing = nodes.node('Mod', [
    nodes.node('Sub', [model.ints([multiple, multiple]), over]),
    model.ints([multiple, multiple]),
  ]);
  return nodes.node('Pad', [x, join(nodes, [0, 0, 0, 0, 0, 0], missing)]);
}

export function cropLike(nodes: NodeWriter, x: string, like: string): string {
  const { model } = nodes;
  return nodes.node('Slice', [x, model.ints([0, 0]), extents(nodes, like, 2, 4), model.ints([2, 3])]);
}

/** How pictures are cut into combs. */
export interface CombSize {
  readonly size: number;
  readonly by: 'count' | 'step';
}

/** C×N×cells×within×cells×within, as an int64 vector, for a channel-major picture. */
function combExtents(nodes: NodeWriter, like: string, channels: number, { size, by }: CombSize): string[] {
  const { model } = nodes;
  const others = nodes.node('Div', [extents(nodes, like, 2, 4), model.ints([size, size])]);
  const [rows, columns] = [entry(nodes, others, 0), entry(nodes, others, 1)];
  const own = model.ints([size]);
  const batch = extents(nodes, like, 1, 2);
  const cells = by === 'count' ? [own, rows, own, columns] : [rows, own, columns, own];
  return [model.ints([channels]), batch, ...cells];
}

/** C×N×H×W → C×(N·places)×cells */
export function cutCombs(nodes: NodeWriter, x: string, channels: number, comb: CombSize): string {
  const parts = combExtents(nodes, x, channels, comb);
  const cut = nodes.node('Reshape', [x, join(nodes, ...parts)]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 3, 5, 2, 4] });
  const [, , rows, , columns] = parts;
  const tokens = nodes.node('Mul', [rows!, columns!]);
  return nodes.node('Reshape', [moved, join(nodes, [channels, -1], tokens)]);
}

/** The inverse, with N, H and W of `like`, which is channel-major too. */
export function joinCombs(
  nodes: NodeWriter,
  x: string,
  like: string,
  channels: number,
  comb: CombSize,
): string {
  const [c, batch, rows, inRow, columns, inColumn] = combExtents(nodes, like, channels, comb);
  const cut = nodes.node('Reshape', [x, join(nodes, c!, batch!, inRow!, inColumn!, rows!, columns!)]);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 4, 2, 5, 3] });
  return nodes.node('Reshape', [moved, join(nodes, [channels], extents(nodes, like, 1, 4))]);
}

/** Overlapping windows of pictures in channel-major order, padded with zeros: C×N×H×W → C×(N·windows)×(size·size). */
export function cutWideWindows(
  nodes: NodeWriter,
  x: string,
  channels: number,
  { size, stride }: { readonly size: number; readonly stride: number },
): string {
  const { model } = nodes;
  const margin = (size - stride) / 2;
  const padded = nodes.node('Pad', [x, model.ints([0, 0, margin, margin, 0, 0, margin, margin])]);
  const along = (values: string, axis: number): string => {
    const extent = extents(nodes, x, axis, axis + 1);
    const scalar = (name: string): string => nodes.node('Squeeze', [name]);
    const starts = nodes.node('Range', [
      scalar(model.ints([0])),
      scalar(extent),
      scalar(model.ints([stride])),
    ]);
    const within = model.ints(Array.from({ length: size }, (_, index) => index));
    const places = nodes.node('Add', [nodes.node('Unsqueeze', [starts, model.ints([1])]), within]);
    return nodes.node('Gather', [values, places], { axis: axis === 2 ? 2 : 4 });
  };
  // C×N×H'×W' → C×N×nH×size×W' → C×N×nH×size×nW×size
  const cut = along(along(padded, 2), 3);
  const moved = nodes.node('Transpose', [cut], { perm: [0, 1, 2, 4, 3, 5] });
  return nodes.node('Reshape', [moved, model.ints([channels, -1, size * size])]);
}

/** softmax(q·k + bias + mask)·v on heads×W×Tq×d, heads×W×d×Tk and heads×W×Tk×d; `regions` is W×T. */
export function windowAttention(
  nodes: NodeWriter,
  query: string,
  keyTransposed: string,
  value: string,
  options: {
    readonly scale: number;
    readonly bias: string | undefined;
    readonly regions: string | undefined;
  },
): string {
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

/** softmax(temperature·q·kᵀ)·v on N×heads×d×T, or heads×N×d×T; `temperature` broadcasts to the scores. */
export function channelAttention(
  nodes: NodeWriter,
  query: string,
  key: string,
  value: string,
  { temperature, normalized }: { readonly temperature: string; readonly normalized: boolean },
): string {
  const q = normalized ? unitLength(nodes, query, 3) : query;
  const k = normalized ? unitLength(nodes, key, 3) : key;
  const scores = nodes.node('MatMul', [q, nodes.node('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  const weights = nodes.node('Softmax', [nodes.node('Mul', [scores, temperature])], { axis: -1 });
  return nodes.node('MatMul', [weights, value]);
}

/** torch.nn.functional.normalize along an axis. */
export function unitLength(nodes: NodeWriter, x: string, axis: number): string {
  const { model } = nodes;
  const length = nodes.node('ReduceL2', [x, model.ints([axis])], { keepdims: 1 });
  return nodes.node('Div', [x, nodes.node('Max', [length, model.floats([], [1e-12])])]);
}
