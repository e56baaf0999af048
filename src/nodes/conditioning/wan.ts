/** Films that begin, or end, with pictures (ComfyUI comfy_extras/nodes_wan.py). */
import { tensor } from '../../compute/tensor.js';
import { repeatRows } from '../../imaging/tensor-ops.js';
import { fromModelSpace } from '../../models/denoiser/latent-format.js';
import { wan22Latent } from '../../models/denoiser/transformer-latents.js';
import { defineNode, link } from '../definition.js';
import type { ConditioningEntry } from '../values.js';
import {
  atMost,
  batch,
  filmInputs,
  filmOf,
  filmOutputs,
  fitted,
  frameMask,
  frames,
  latentFrames,
  side,
  statesOf,
  withExtras,
} from './wan-film.js';

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
