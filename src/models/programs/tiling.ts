/** Runs a network over overlapping tiles of its input and blends what comes out (ComfyUI comfy/utils.py, tiled_scale). */
import { tensor, type Tensor } from '../../compute/tensor.js';

export interface TileSize {
  readonly height: number;
  readonly width: number;
  readonly overlap: number;
}

export interface TileScale {
  /** Output extent per input extent: 8, or 1/8. */
  readonly factor: number;
  readonly channels: number;
}

/**
 * `network` over `input` (1×C×H×W), tile by tile, as 1×C'×H'×W'. Tiles fade into each other across their overlap. Throws
 * `RangeError` when tiles don't reach beyond their overlap.
 */
export async function tiledScale(
  input: Tensor,
  network: (tile: Tensor) => Promise<Tensor>,
  tile: TileSize,
  { factor, channels }: TileScale,
): Promise<Tensor> {
  const [, , height = 0, width = 0] = input.shape;
  if (height <= tile.height && width <= tile.width) return network(input);
  const output = tensor([1, channels, pythonRound(height * factor), pythonRound(width * factor)]);
  const weights = tensor([output.shape[2]!, output.shape[3]!]);
  for (const top of tileStarts(height, tile.height, tile.overlap)) {
    for (const left of tileStarts(width, tile.width, tile.overlap)) {
      const part = cut(
        input,
        top,
        left,
        Math.min(tile.height, height - top),
        Math.min(tile.width, width - left),
      );
      const scaled = await network(part);
      blend(scaled, output, weights, {
        top: pythonRound(top * factor),
        left: pythonRound(left * factor),
        feather: pythonRound(tile.overlap * factor),
      });
    }
  }
  const area = weights.data.length;
  output.data.forEach((value, index) => {
    output.data[index] = value / weights.data[index % area]!;
  });
  return output;
}

/** How many tiles `tiledScale` runs the network on. */
export function tileCount(height: number, width: number, tile: TileSize): number {
  return (
    tileStarts(height, tile.height, tile.overlap).length * tileStarts(width, tile.width, tile.overlap).length
  );
}

/** Where tiles begin along an axis. Throws `RangeError` when they don't reach beyond their overlap. */
export function tileStarts(extent: number, tile: number, overlap: number): number[] {
  if (extent <= tile) return [0];
  if (tile <= overlap) {
    throw new RangeError(
      `tiles of ${tile} with an overlap of ${overlap} never get on; take larger tiles or less overlap`,
    );
  }
  const starts: number[] = [];
  for (let start = 0; start < extent - overlap; start += tile - overlap) starts.push(start);
  return starts;
}

function cut(input: Tensor, top: number, left: number, height: number, width: number): Tensor {
  const [, channels = 0, rows = 0, columns = 0] = input.shape;
  const part = tensor([1, channels, height, width]);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      const source = (channel * rows + top + y) * columns + left;
      part.data.set(input.data.subarray(source, source + width), (channel * height + y) * width);
    }
  }
  return part;
}

interface Placement {
  readonly top: number;
  readonly left: number;
  readonly feather: number;
}

/** Adds a tile times its fade to `output`, and the fade alone to `weights`. */
function blend(part: Tensor, output: Tensor, weights: Tensor, { top, left, feather }: Placement): void {
  const [, channels = 0, height = 0, width = 0] = part.shape;
  const [, , rows = 0, columns = 0] = output.shape;
  const fadeDown = fade(height, feather);
  const fadeRight = fade(width, feather);
  for (let y = 0; y < height; y++) {
    const target = (top + y) * columns + left;
    for (let x = 0; x < width; x++) {
      const weight = Math.fround(fadeDown[y]! * fadeRight[x]!);
      weights.data[target + x]! += weight;
      for (let channel = 0; channel < channels; channel++) {
        const value = part.data[(channel * height + y) * width + x]!;
        output.data[channel * rows * columns + target + x]! += Math.fround(value * weight);
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

/** Halves go to the even neighbour. */
function pythonRound(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The mean of tensors of one shape, summed in their order. */
export function mean(tensors: readonly Tensor[]): Tensor {
  const [first, ...rest] = tensors;
  if (first === undefined) throw new RangeError('no tensors to take the mean of');
  const sum = tensor(first.shape, first.data.slice());
  for (const { data } of rest) data.forEach((value, index) => (sum.data[index]! += value));
  return tensor(
    sum.shape,
    sum.data.map((value) => value / tensors.length),
  );
}
