/** Runs a network over overlapping tiles of frames, rows and columns, and blends what comes out (ComfyUI comfy/utils.py, tiled_scale_multidim). */
import { elementCount, tensor, type Tensor } from '../../../compute/tensor.js';
import { tileStarts } from '../../programs/tiling.js';

/** Of one axis: frames, rows or columns. */
export interface AxisTiles {
  readonly tile: number;
  readonly overlap: number;
  /** How long so many entries become. */
  readonly length: (entries: number) => number;
  /** Where an entry lies in the result. */
  readonly start: (entry: number) => number;
}

/** 1×C×F×h×w to 1×C'×F'×h'×w'. Throws `RangeError` when tiles don't reach beyond their overlap. */
export async function tiledFrames(
  input: Tensor,
  network: (tile: Tensor) => Promise<Tensor>,
  axes: readonly [AxisTiles, AxisTiles, AxisTiles],
  channels: number,
): Promise<Tensor> {
  const extents = input.shape.slice(2);
  if (extents.every((extent, axis) => extent <= axes[axis]!.tile)) return network(input);
  const lengths = extents.map((extent, axis) => Math.round(axes[axis]!.length(extent)));
  const output = tensor([1, channels, ...lengths]);
  const weights = tensor(lengths);
  const [frames, rows, columns] = axes.map(({ tile, overlap }, index) =>
    tileStarts(extents[index]!, tile, overlap),
  ) as [number[], number[], number[]];
  for (const frame of frames) {
    for (const row of rows) {
      for (const column of columns) {
        const from = [frame, row, column];
        const part = await network(cut(input, from, axes));
        const into = from.map((entry, axis) => Math.round(axes[axis]!.start(entry)));
        const feathers = axes.map(({ overlap, length }) => Math.round(length(overlap)));
        blend(part, output, weights, into, feathers);
      }
    }
  }
  const area = weights.data.length;
  output.data.forEach((value, index) => {
    output.data[index] = value / weights.data[index % area]!;
  });
  return output;
}

function cut(input: Tensor, from: readonly number[], axes: readonly AxisTiles[]): Tensor {
  const [, channels = 0, frames = 0, rows = 0, columns = 0] = input.shape;
  const [frame, row, column] = from as [number, number, number];
  const [f, h, w] = [frames, rows, columns].map((extent, axis) =>
    Math.min(axes[axis]!.tile, extent - from[axis]!),
  ) as [number, number, number];
  const part = tensor([1, channels, f, h, w]);
  let target = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let t = 0; t < f; t++) {
      for (let y = 0; y < h; y++, target += w) {
        const source = ((channel * frames + frame + t) * rows + row + y) * columns + column;
        part.data.set(input.data.subarray(source, source + w), target);
      }
    }
  }
  return part;
}

function blend(
  part: Tensor,
  output: Tensor,
  weights: Tensor,
  into: readonly number[],
  feathers: readonly number[],
): void {
  const [, channels = 0, ...extents] = part.shape;
  const [frames, rows, columns] = extents as [number, number, number];
  const [, height, width] = weights.shape as [number, number, number];
  const fades = extents.map((extent, axis) => fade(extent, feathers[axis]!));
  const area = elementCount(weights.shape);
  for (let t = 0; t < frames; t++) {
    for (let y = 0; y < rows; y++) {
      const down = Math.fround(fades[0]![t]! * fades[1]![y]!);
      const target = ((into[0]! + t) * height + into[1]! + y) * width + into[2]!;
      for (let x = 0; x < columns; x++) {
        const weight = Math.fround(down * fades[2]![x]!);
        weights.data[target + x]! += weight;
        for (let channel = 0; channel < channels; channel++) {
          const value = part.data[((channel * frames + t) * rows + y) * columns + x]!;
          output.data[channel * area + target + x]! += Math.fround(value * weight);
        }
      }
    }
  }
}

/** Rises to 1 over the first `feather` entries and falls over the last; flat where a tile is no longer than that. */
function fade(length: number, feather: number): Float32Array {
  const weights = new Float32Array(length).fill(1);
  if (feather >= length) return weights;
  for (let index = 0; index < feather; index++) {
    const share = Math.fround((index + 1) / feather);
    weights[index]! *= share;
    weights[length - 1 - index]! *= share;
  }
  return weights;
}
