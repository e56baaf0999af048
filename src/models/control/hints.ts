/** The pictures that controls see, brought to the size of what is sampled (ComfyUI comfy/controlnet.py). */
import type { Tensor } from '../../compute/tensor.js';
import { channelsFirst } from '../../imaging/channels.js';
import { repeatRows, resizeBatch, takeRows } from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type { ControlledEvaluation } from '../denoiser/control.js';

/** Pixels a side that a latent's stand for. */
export const PIXELS_A_LATENT = 8;

/** Height and width in pixels of the picture that is sampled. */
export function pixelsOf({ x }: ControlledEvaluation): readonly [height: number, width: number] {
  const [height = 1, width = 1] = x.shape.slice(-2);
  return [height * PIXELS_A_LATENT, width * PIXELS_A_LATENT];
}

/** An image N×H×W×C as N×C×height×width, cut to the aspect at its middle. */
export function fittedHint(image: Tensor, height: number, width: number): Tensor {
  return upscaleLatent(channelsFirst(image), 'nearest-exact', { height, width, crop: 'center' });
}

/**
 * How many of `hints` pictures an evaluation of `rows` rows, of `conditions` conditions in turn, sees: one goes with all, as many as there
 * are rows with one each, else each condition's rows go through them from the first (broadcast_image_to).
 */
export function hintsSeen(hints: number, { x, conditions }: ControlledEvaluation): number {
  const [rows = 1] = x.shape;
  return hints === 1 || hints === rows ? hints : Math.min(hints, Math.floor(rows / conditions));
}

/** What was made of the hints that are seen, as rows of the evaluation. */
export function hintRows(seen: Tensor, { x, conditions }: ControlledEvaluation): Tensor {
  const [rows = 1] = x.shape;
  const [hints = 1] = seen.shape;
  if (hints === rows) return seen;
  if (hints === 1) return repeatRows(seen, rows);
  return repeatRows(resizeBatch(seen, Math.floor(rows / conditions)), conditions);
}

/** Row by row through `network`, so that memory is one row's. */
export async function eachRow<Made>(
  source: Tensor,
  network: (row: Tensor) => Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for (let row = 0; row < source.shape[0]!; row++) made.push(await network(takeRows(source, row, 1)));
  return made;
}
