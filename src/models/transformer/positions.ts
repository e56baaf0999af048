/** Rotary position embedding: what a token's position turns its pairs by (ComfyUI comfy/ldm/flux/math.py, rope). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { PatchGrid } from './patches.js';

/** How positions become angles. */
export interface RotaryAxes {
  /** Values of a head that each axis of a position turns; their sum is the head's. */
  readonly widths: readonly number[];
  readonly theta: number;
}

/** Positions of a run of tokens, an axis after the other for each token. */
export interface Positions {
  readonly count: number;
  /** count × axes. */
  readonly values: Float32Array;
}

export interface AngleTables {
  /** 1×T×(d/2). */
  readonly cosines: Tensor;
  readonly sines: Tensor;
}

export function positions(count: number, axes: number, at: (token: number) => readonly number[]): Positions {
  const values = new Float32Array(count * axes);
  for (let token = 0; token < count; token++) values.set(at(token), token * axes);
  return { count, values };
}

/** Positions of a picture's patches: `at` gives those of the patch in a frame, row and column. */
export function gridPositions(
  { frames, rows, columns }: PatchGrid,
  axes: number,
  at: (frame: number, row: number, column: number) => readonly number[],
): Positions {
  return positions(frames * rows * columns, axes, (token) =>
    at(Math.floor(token / (rows * columns)), Math.floor(token / columns) % rows, token % columns),
  );
}

/** Cosines and sines for the tokens of all runs, one after the other; made in float64, rounded at the end. */
export function angleTables(runs: readonly Positions[], { widths, theta }: RotaryAxes): AngleTables {
  const count = runs.reduce((sum, run) => sum + run.count, 0);
  const pairs = widths.reduce((sum, width) => sum + width / 2, 0);
  const frequencies = widths.map((width) =>
    Float64Array.from({ length: width / 2 }, (_, pair) => 1 / theta ** frequencyExponent(pair, width)),
  );
  const cosines = tensor([1, count, pairs]);
  const sines = tensor([1, count, pairs]);
  let at = 0;
  for (const { count: tokens, values } of runs) {
    for (let token = 0; token < tokens; token++) {
      frequencies.forEach((ofAxis, axis) => {
        const position = values[token * widths.length + axis]!;
        for (const frequency of ofAxis) {
          cosines.data[at] = Math.cos(position * frequency);
          sines.data[at] = Math.sin(position * frequency);
          at++;
        }
      });
    }
  }
  return { cosines, sines };
}

/** torch.linspace(0, (width − 2)/width, width/2) in float64, which counts from the nearer end. */
function frequencyExponent(pair: number, width: number): number {
  const steps = width / 2;
  const end = (width - 2) / width;
  if (steps === 1) return 0;
  const step = end / (steps - 1);
  return pair < steps / 2 ? step * pair : end - step * (steps - 1 - pair);
}
