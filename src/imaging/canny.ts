/** Edges by Canny's method, as kornia has it (kornia/filters/canny.py), of images N×H×W×C. */
import { tensor, type Tensor } from '../compute/tensor.js';

const { fround } = Math;

/** The eight neighbours, by eighths of a turn from the right downwards. */
const NEIGHBOURS = [
  [0, 1],
  [1, 1],
  [1, 0],
  [1, -1],
  [0, -1],
  [-1, -1],
  [-1, 0],
  [-1, 1],
] as const;

/** A Gaussian of 5 pixels with σ = 1, in float32. */
const BLUR = (() => {
  const raw = [-2, -1, 0, 1, 2].map((x) => fround(Math.exp(-(x * x) / 2)));
  const sum = raw.reduce((total, value) => fround(total + value), 0);
  return raw.map((value) => fround(value / sum));
})();

export interface Thresholds {
  /** Edges above it count where they touch one above `high`. */
  readonly low: number;
  readonly high: number;
}

/** Masks N×H×W: 1 on edges, 0 elsewhere. Throws `RangeError` for thresholds in the wrong order, and pictures of less than 3 pixels a side. */
export function cannyEdges(image: Tensor, thresholds: Thresholds): Tensor {
  const [batch = 0, height = 0, width = 0] = image.shape;
  if (thresholds.low > thresholds.high)
    throw new RangeError('low_threshold must be no higher than high_threshold');
  if (height < 3 || width < 3) throw new RangeError(`edges need 3 pixels a side, this is ${width}×${height}`);
  const result = tensor([batch, height, width]);
  for (let row = 0; row < batch; row++) {
    result.data.set(edgesOf(greyOf(image, row), height, width, thresholds), row * height * width);
  }
  return result;
}

function greyOf(image: Tensor, row: number): Float32Array {
  const [, height = 0, width = 0, channels = 0] = image.shape;
  const grey = new Float32Array(height * width);
  const start = row * height * width * channels;
  if (channels !== 3) throw new RangeError(`an RGB image is needed, this one has ${channels} channels`);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const at = start + pixel * 3;
    const [red, green, blue] = [image.data[at]!, image.data[at + 1]!, image.data[at + 2]!];
    grey[pixel] = fround(
      fround(fround(fround(0.299) * red) + fround(fround(0.587) * green)) + fround(fround(0.114) * blue),
    );
  }
  return grey;
}

type At = (y: number, x: number) => number;

function mapped(height: number, width: number, value: At): Float32Array {
  const result = new Float32Array(height * width);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result[y * width + x] = value(y, x);
  return result;
}

const mirrored = (at: number, length: number) => {
  const place = Math.abs(at);
  return place < length ? place : 2 * (length - 1) - place;
};
const clamped = (at: number, length: number) => Math.min(Math.max(at, 0), length - 1);

function edgesOf(grey: Float32Array, height: number, width: number, { low, high }: Thresholds): Float32Array {
  const blur = (source: Float32Array, dy: number, dx: number) =>
    mapped(height, width, (y, x) => {
      let sum = 0;
      BLUR.forEach((tap, index) => {
        const place = mirrored(y + dy * (index - 2), height) * width + mirrored(x + dx * (index - 2), width);
        sum = fround(sum + fround(tap * source[place]!));
      });
      return sum;
    });
  const soft = blur(blur(grey, 0, 1), 1, 0);
  const at: At = (y, x) => soft[clamped(y, height) * width + clamped(x, width)]!;
  // Sobel's kernels, summed row by row as torch's convolution does, each product and sum rounded together.
  const convolved = (y: number, x: number, weight: (row: number, column: number) => number) => {
    let sum = 0;
    for (const row of [-1, 0, 1]) {
      for (const column of [-1, 0, 1]) sum = fround(sum + weight(row, column) * at(y + row, x + column));
    }
    return sum;
  };
  const slope = (y: number, x: number, dy: number, dx: number) =>
    convolved(
      y,
      x,
      (row, column) => (row * dy + column * dx) * (2 - Math.abs(row * dx) - Math.abs(column * dy)),
    );
  const across = mapped(height, width, (y, x) => slope(y, x, 0, 1));
  const down = mapped(height, width, (y, x) => slope(y, x, 1, 0));
  const strength = across.map((gx, pixel) =>
    Math.sqrt(fround(fround(gx * gx) + fround(down[pixel]! ** 2)) + 1e-6),
  );
  const inside: At = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? 0 : strength[y * width + x]!);
  const edges = mapped(height, width, (y, x) => {
    const pixel = y * width + x;
    const turn = Math.round(Math.atan2(down[pixel]!, across[pixel]!) * (4 / Math.PI));
    const own = strength[pixel]!;
    const steepest = [turn, turn + 4].every((direction) => {
      const [dy, dx] = NEIGHBOURS[((direction % 8) + 8) % 8]!;
      return fround(own - inside(y + dy, x + dx)) > 0;
    });
    if (!steepest || own <= fround(low)) return 0;
    return own > fround(high) ? 1 : 0.5;
  });
  return connected(edges, height, width);
}

/** Weak edges that strong ones reach are edges, too; the others are none. */
function connected(edges: Float32Array, height: number, width: number): Float32Array {
  const stack = [...edges.keys()].filter((pixel) => edges[pixel] === 1);
  for (let pixel = stack.pop(); pixel !== undefined; pixel = stack.pop()) {
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    for (const [dy, dx] of NEIGHBOURS) {
      const [ny, nx] = [y + dy, x + dx];
      const next = ny * width + nx;
      if (ny < 0 || nx < 0 || ny >= height || nx >= width || edges[next] !== 0.5) continue;
      edges[next] = 1;
      stack.push(next);
    }
  }
  return edges.map((value) => (value === 1 ? 1 : 0));
}
