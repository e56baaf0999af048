/** What nodes that make films of Wan have in common (ComfyUI comfy_extras/nodes_wan.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { takeRows } from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';
import type { Conditioning, ConditioningEntry, Image } from '../values.js';

export const side = (initial: number, what: string, step: number) =>
  int({ default: initial, min: step, max: MAX_RESOLUTION, step, tooltip: `${what} of the film, in pixels.` });
export const frames = (initial: number) =>
  int({ default: initial, min: 1, max: MAX_RESOLUTION, step: 4, tooltip: 'Frames of the film.' });
export const batch = int({ default: 1, min: 1, max: 4096, tooltip: 'How many films.' });
export const filmInputs = {
  positive: link('CONDITIONING'),
  negative: link('CONDITIONING'),
  vae: link('VAE'),
  width: side(832, 'Width', 16),
  height: side(480, 'Height', 16),
  length: frames(81),
  batch_size: batch,
};
export const filmOutputs = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
  { type: 'LATENT', name: 'latent' },
] as const;

/** Frames of a latent. */
export const latentFrames = (length: number) => Math.floor((length - 1) / 4) + 1;

export interface FilmSize {
  readonly width: number;
  readonly height: number;
  readonly length: number;
}

export function fitted(image: Image, { width, height }: FilmSize): Image {
  return rgbOf(upscaleImage(image, 'bilinear', { width, height, crop: 'center' }));
}

/** A grey film with pictures from its beginning on, and up to its end. */
export function filmOf({ width, height, length }: FilmSize, start: Image | undefined, end?: Image): Image {
  const film = tensor([length, height, width, 3]);
  film.data.fill(0.5);
  const frame = height * width * 3;
  if (start !== undefined) film.data.set(start.data);
  if (end !== undefined) film.data.set(end.data, (length - end.shape[0]!) * frame);
  return film;
}

export function withExtras(conditioning: Conditioning, extras: Partial<ConditioningEntry>): Conditioning {
  return conditioning.map((entry) => ({ ...entry, ...extras }));
}

/** The first, or last, pictures of a batch. */
export function atMost(image: Image, count: number, from: 'start' | 'end'): Image {
  const [given = 0] = image.shape;
  const kept = Math.min(count, given);
  return takeRows(image, from === 'start' ? 0 : given - kept, kept);
}

/** 1×4×frames×h×w: of each of the four frames that one of a latent stands for, whether it is to be drawn. */
export function frameMask(
  count: number,
  rows: number,
  columns: number,
  given: number | undefined,
  last: number | undefined,
): Tensor {
  const area = rows * columns;
  const drawn = new Float32Array(count * 4).fill(1);
  if (given !== undefined) drawn.fill(0, 0, given + 3);
  if (last !== undefined) drawn.fill(0, Math.max(0, drawn.length - last));
  const mask = tensor([1, 4, count, rows, columns]);
  drawn.forEach((value, frame) => {
    const from = ((frame % 4) * count + Math.floor(frame / 4)) * area;
    mask.data.fill(value, from, from + area);
  });
  return mask;
}

/** What an image encoder made of both pictures, one behind the other. */
export function statesOf(
  pictures: readonly ({ readonly penultimate: Tensor } | undefined)[],
): Partial<ConditioningEntry> {
  const states = pictures.flatMap((picture) => (picture === undefined ? [] : [picture.penultimate]));
  const [first, second] = states;
  if (first === undefined) return {};
  if (second === undefined) return { pictureStates: first };
  const [rows = 0, tokens = 0, width = 0] = first.shape;
  const [, more = 0] = second.shape;
  const joined = tensor([rows, tokens + more, width]);
  for (let row = 0; row < rows; row++) {
    const at = row * (tokens + more) * width;
    joined.data.set(first.data.subarray(row * tokens * width, (row + 1) * tokens * width), at);
    joined.data.set(second.data.subarray(row * more * width, (row + 1) * more * width), at + tokens * width);
  }
  return { pictureStates: joined };
}
