/** What models of films see beside the latent (ComfyUI comfy/model_base.py, WAN21.concat_cond and WAN22.extra_conds). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatChannels } from '../../imaging/latent-channels.js';
import { spreadOverBatch } from '../../imaging/spread-over-batch.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';

/** Channels of a mask: a film's four frames for each of the latent. */
const MASK_CHANNELS = 4;

/**
 * `channels` beside the latent: a mask, 1 where a frame is given, and the given frames' latent; zeros without them.
 */
export function filmBeside(channels: number): DenoiserInput {
  return {
    name: 'concat',
    kind: 'picture',
    prepare({ concatLatentImage, concatMask }, { latent, noiseMask, latentFormat }) {
      const [rows = 1, , ...extents] = latent.shape;
      const [frames = 1, height = 1, width = 1] = extents;
      const of = (count: number) => tensor([rows, count, ...extents]);
      if (concatLatentImage === undefined) return of(channels);
      const target = { height, width, crop: 'center' } as const;
      const image = spreadOverBatch(
        toModelSpace(latentFormat, framed(upscaleLatent(concatLatentImage, 'bilinear', target), frames)),
        rows,
      );
      if (channels === image.shape[1]) return image;
      const given = concatMask ?? noiseMask;
      const mask = of(MASK_CHANNELS);
      if (given !== undefined) {
        const fitted = framed(upscaleLatent(inverted(given), 'bilinear', target), frames);
        const area = frames * height * width;
        for (let row = 0; row < rows; row++) {
          const start = (row % fitted.shape[0]!) * area;
          for (let channel = 0; channel < MASK_CHANNELS; channel++) {
            mask.data.set(fitted.data.subarray(start, start + area), (row * MASK_CHANNELS + channel) * area);
          }
        }
      }
      return concatChannels(mask, image);
    },
  };
}

/** 1 − mask, N×1×F×h×w. */
function inverted({ shape, data }: Tensor): Tensor {
  return tensor(
    shape,
    data.map((value) => 1 - value),
  );
}

/** N×C×F×h×w with so many frames: cut, or with zeros behind. */
function framed(film: Tensor, frames: number): Tensor {
  const [rows = 1, channels = 1, own = 1, height = 1, width = 1] = film.shape;
  if (own === frames) return film;
  const fitted = tensor([rows, channels, frames, height, width]);
  const area = height * width;
  const kept = Math.min(own, frames) * area;
  for (let plane = 0; plane < rows * channels; plane++) {
    const start = plane * own * area;
    fitted.data.set(film.data.subarray(start, start + kept), plane * frames * area);
  }
  return fitted;
}

/** How much of each frame is sampled, N×1×F×h×w: Wan 2.2 5B gives each its own time. */
export const frameMask: DenoiserInput = {
  name: 'noise_mask',
  kind: 'rows',
  prepare: (_, { noiseMask }) => noiseMask,
};
