/** Films that begin, or end, with pictures (ComfyUI comfy_extras/nodes_wan.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { repeatRows, takeRows } from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { fromModelSpace } from '../../models/denoiser/latent-format.js';
import { wan22Latent } from '../../models/denoiser/transformer-latents.js';
import { defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';
import type { Conditioning, ConditioningEntry, Image } from '../values.js';

const side = (initial: number, what: string, step: number) =>
  int({ default: initial, min: step, max: MAX_RESOLUTION, step, tooltip: `${what} of the film, in pixels.` });
const frames = (initial: number) =>
  int({ default: initial, min: 1, max: MAX_RESOLUTION, step: 4, tooltip: 'Frames of the film.' });
const batch = int({ default: 1, min: 1, max: 4096, tooltip: 'How many films.' });
const filmInputs = {
  positive: link('CONDITIONING'),
  negative: link('CONDITIONING'),
  vae: link('VAE'),
  width: side(832, 'Width', 16),
  height: side(480, 'Height', 16),
  length: frames(81),
  batch_size: batch,
};
const filmOutputs = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
  { type: 'LATENT', name: 'latent' },
] as const;

/** Frames of a latent. */
const latentFrames = (length: number) => Math.floor((length - 1) / 4) + 1;

interface FilmSize {
  readonly width: number;
  readonly height: number;
  readonly length: number;
}

function fitted(image: Image, { width, height }: FilmSize): Image {
  return rgbOf(upscaleImage(image, 'bilinear', { width, height, crop: 'center' }));
}

/** A grey film with pictures from its beginning on, and up to its end. */
function filmOf({ width, height, length }: FilmSize, start: Image | undefined, end?: Image): Image {
  const film = tensor([length, height, width, 3]);
  film.data.fill(0.5);
  const frame = height * width * 3;
  if (start !== undefined) film.data.set(start.data);
  if (end !== undefined) film.data.set(end.data, (length - end.shape[0]!) * frame);
  return film;
}

function withExtras(conditioning: Conditioning, extras: Partial<ConditioningEntry>): Conditioning {
  return conditioning.map((entry) => ({ ...entry, ...extras }));
}

/** The first, or last, pictures of a batch. */
function atMost(image: Image, count: number, from: 'start' | 'end'): Image {
  const [given = 0] = image.shape;
  const kept = Math.min(count, given);
  return takeRows(image, from === 'start' ? 0 : given - kept, kept);
}

export const wanImageToVideo = defineNode({
  name: 'WanImageToVideo',
  displayName: 'WanImageToVideo',
  category: 'model/conditioning/wan',
  description: 'Has Wan go on from a picture, or from the first frames of a film.',
  required: filmInputs,
  optional: {
    clip_vision_output: link('CLIP_VISION_OUTPUT', { tooltip: 'The picture as an image encoder sees it.' }),
    start_image: link('IMAGE', { tooltip: 'How the film begins.' }),
  },
  outputs: filmOutputs,
  async run({ positive, negative, vae, clip_vision_output, start_image, batch_size, ...size }) {
    const { width, height, length } = size;
    const shape = [batch_size, 16, latentFrames(length), Math.floor(height / 8), Math.floor(width / 8)];
    let extras: Partial<ConditioningEntry> = {};
    if (start_image !== undefined) {
      const start = fitted(atMost(start_image, length, 'start'), size);
      const concatLatentImage = await vae.encode(filmOf(size, start));
      const [rows = 0, columns = 0] = concatLatentImage.shape.slice(-2);
      const concatMask = tensor([1, 1, shape[2]!, rows, columns]);
      concatMask.data.fill(1, latentFrames(start.shape[0]!) * rows * columns);
      extras = { concatLatentImage, concatMask };
    }
    if (clip_vision_output !== undefined) {
      extras = { ...extras, pictureStates: clip_vision_output.penultimate };
    }
    const shown = [withExtras(positive, extras), withExtras(negative, extras)] as const;
    return { outputs: [...shown, { samples: tensor(shape) }] };
  },
});

export const wanFirstLastFrameToVideo = defineNode({
  name: 'WanFirstLastFrameToVideo',
  displayName: 'WanFirstLastFrameToVideo',
  category: 'model/conditioning/wan',
  description: 'Has Wan draw a film between a first and a last picture.',
  required: filmInputs,
  optional: {
    clip_vision_start_image: link('CLIP_VISION_OUTPUT', {
      tooltip: 'The first, as an image encoder sees it.',
    }),
    clip_vision_end_image: link('CLIP_VISION_OUTPUT', { tooltip: 'The last, as an image encoder sees it.' }),
    start_image: link('IMAGE', { tooltip: 'How the film begins.' }),
    end_image: link('IMAGE', { tooltip: 'How the film ends.' }),
  },
  outputs: filmOutputs,
  async run(inputs) {
    const { positive, negative, vae, start_image, end_image, batch_size, width, height, length } = inputs;
    const size = { width, height, length };
    const start = start_image && fitted(atMost(start_image, length, 'start'), size);
    const end = end_image && fitted(atMost(end_image, length, 'end'), size);
    const [rows, columns] = [Math.floor(height / vae.downscale), Math.floor(width / vae.downscale)];
    const samples = tensor([batch_size, vae.latentChannels, latentFrames(length), rows, columns]);
    const shown = {
      concatLatentImage: await vae.encode(filmOf(size, start, end)),
      concatMask: frameMask(latentFrames(length), rows, columns, start?.shape[0], end?.shape[0]),
      ...statesOf([inputs.clip_vision_start_image, inputs.clip_vision_end_image]),
    };
    return { outputs: [withExtras(positive, shown), withExtras(negative, shown), { samples }] };
  },
});

/** 1×4×frames×h×w: of each of the four frames that one of a latent stands for, whether it is to be drawn. */
function frameMask(
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
function statesOf(
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

export const wan22ImageToVideoLatent = defineNode({
  name: 'Wan22ImageToVideoLatent',
  displayName: 'Wan22ImageToVideoLatent',
  category: 'model/conditioning/wan',
  description: 'An empty latent for Wan 2.2 5B, whose first frames may be those of a picture.',
  required: {
    vae: link('VAE'),
    width: side(1280, 'Width', 32),
    height: side(704, 'Height', 32),
    length: frames(49),
    batch_size: batch,
  },
  optional: { start_image: link('IMAGE', { tooltip: 'How the film begins.' }) },
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ vae, width, height, length, batch_size, start_image }) {
    const extents = [latentFrames(length), Math.floor(height / 16), Math.floor(width / 16)] as const;
    const empty = tensor([1, wan22Latent.channels, ...extents]);
    // Without a picture the batch's size counts for nothing, as in ComfyUI.
    if (start_image === undefined) return { outputs: [{ samples: empty }] };
    const start = fitted(atMost(start_image, length, 'start'), { width, height, length });
    const given = await vae.encode(start);
    const [count, rows, columns] = extents;
    const area = rows * columns;
    const kept = given.shape[2]!;
    const samples = fromModelSpace(wan22Latent, empty);
    for (let channel = 0; channel < wan22Latent.channels; channel++) {
      const from = given.data.subarray(channel * kept * area, (channel + 1) * kept * area);
      samples.data.set(from, channel * count * area);
    }
    const noiseMask = tensor([1, 1, count, rows, columns]);
    noiseMask.data.fill(1, kept * area);
    return {
      outputs: [{ samples: repeatRows(samples, batch_size), noiseMask: repeatRows(noiseMask, batch_size) }],
    };
  },
});
