/** Latents as the tokens of a transformer, a patch each, and back. */
import { tensor, type Tensor } from '../../compute/tensor.js';

/** How the values of a patch follow each other: channels first (Flux), or last (Lumina, Z-Image). */
export type PatchOrder = 'channels first' | 'channels last';

export interface Patching {
  /** Pixels a side. */
  readonly size: number;
  readonly order: PatchOrder;
}

/** Patches of N×C×[F×]h×w; those of a frame follow each other row by row. */
export interface PatchGrid {
  readonly frames: number;
  /** Patches from top to bottom, and from left to right. */
  readonly rows: number;
  readonly columns: number;
}

/** The grid of a latent whose sides are rounded up to whole patches. */
export function gridOf({ shape }: Pick<Tensor, 'shape'>, size: number): PatchGrid {
  const [height = 1, width = 1] = shape.slice(-2);
  return {
    frames: shape.length === 5 ? shape[2]! : 1,
    rows: Math.ceil(height / size),
    columns: Math.ceil(width / size),
  };
}

export function tokenCount({ frames, rows, columns }: PatchGrid): number {
  return frames * rows * columns;
}

/**
 * N×C×[F×]h×w → N×T×(C·size²). Sides that are no multiple of the patch's are filled up from the other side (ComfyUI
 * comfy/ldm/common_dit.py, pad_to_patch_size).
 */
export function toPatches(latent: Tensor, patching: Patching): Tensor {
  const patches = tensor(patchesShape(latent, patching));
  eachValue(latent.shape, patching, (at, within) => {
    patches.data[within] = latent.data[at]!;
  });
  return patches;
}

/** The way back, to a latent of `shape`; what was filled up is cut off. */
export function fromPatches(patches: Tensor, shape: readonly number[], patching: Patching): Tensor {
  const latent = tensor(shape);
  // What is filled up comes after its own place, which counts.
  const seen = new Uint8Array(latent.data.length);
  eachValue(shape, patching, (at, within) => {
    if (seen[at] === 0) latent.data[at] = patches.data[within]!;
    seen[at] = 1;
  });
  return latent;
}

function patchesShape(latent: Tensor, { size }: Patching): readonly number[] {
  const [rows = 1, channels = 1] = latent.shape;
  return [rows, tokenCount(gridOf(latent, size)), channels * size * size];
}

/** Tells for each value of the patches, by its place `within` them, where it lies in the latent. */
function eachValue(
  shape: readonly number[],
  { size, order }: Patching,
  body: (at: number, within: number) => void,
): void {
  const [batch = 1, channels = 1] = shape;
  const [height = 1, width = 1] = shape.slice(-2);
  const { frames, rows, columns } = gridOf({ shape }, size);
  const area = size * size;
  const [channelStep, pixelStep] = order === 'channels first' ? [area, 1] : [1, channels];
  let token = 0;
  for (let image = 0; image < batch; image++) {
    for (let frame = 0; frame < frames; frame++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, token++) {
          for (let channel = 0; channel < channels; channel++) {
            const plane = ((image * channels + channel) * frames + frame) * height * width;
            const start = token * channels * area + channel * channelStep;
            for (let y = 0; y < size; y++) {
              const line = plane + ((row * size + y) % height) * width;
              for (let x = 0; x < size; x++) {
                body(line + ((column * size + x) % width), start + (y * size + x) * pixelStep);
              }
            }
          }
        }
      }
    }
  }
}
