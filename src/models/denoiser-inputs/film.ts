/** What models of films see beside the latent (ComfyUI comfy/model_base.py, WAN21.concat_cond and WAN22.extra_conds). */
import { elementCount, tensor, type Tensor } from '../../compute/tensor.js';
import { concatChannels } from '../../imaging/latent-channels.js';
import { spreadOverBatch } from '../../imaging/spread-over-batch.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';

/** Channels of a mask: a film's four frames for each of the latent. */
const MASK_CHANNELS = 4;

/**
 * `channels` beside the latent: given frames' latent (or several, side by side), and before it, or at its place among them, a mask, 1 where a frame
 * is given; zeros without them. `cuts` has what is too much left out, for models of image to video.
 */
export function filmBeside(channels: number, { cuts }: { readonly cuts: boolean }): DenoiserInput {
  return {
    name: 'concat',
    kind: 'picture',
    prepare(entry, { latent, noiseMask, latentFormat }) {
      const { concatLatentImage, concatMask, concatMaskPlace = 0 } = entry;
      const [rows = 1, , ...extents] = latent.shape;
      const [frames = 1, height = 1, width = 1] = extents;
      if (concatLatentImage === undefined) return tensor([rows, channels, ...extents]);
      const target = { height, width, crop: 'center' } as const;
      const image = spreadOverBatch(
        toModelSpace(latentFormat, framed(upscaleLatent(concatLatentImage, 'bilinear', target), frames)),
        rows,
      );
      const own = image.shape[1]!;
      if (own + MASK_CHANNELS !== channels && (!cuts || own === channels)) return image;
      const kept = firstChannels(image, Math.min(own, channels - MASK_CHANNELS));
      const given = concatMask ?? noiseMask;
      const mask =
        given === undefined
          ? tensor([rows, MASK_CHANNELS, ...extents])
          : spreadOverBatch(fourOf(framed(upscaleLatent(inverted(given), 'bilinear', target), frames)), rows);
      if (concatMaskPlace === 0) return concatChannels(mask, kept);
      const behind = firstChannels(kept, kept.shape[1]! - concatMaskPlace, concatMaskPlace);
      return concatChannels(concatChannels(firstChannels(kept, concatMaskPlace), mask), behind);
    },
  };
}

/** A mask for each of four frames: its own, or the mean of its channels for all of them. */
function fourOf(mask: Tensor): Tensor {
  const [rows = 1, channels = 1, ...extents] = mask.shape;
  if (channels === MASK_CHANNELS) return mask;
  const area = elementCount(extents);
  const four = tensor([rows, MASK_CHANNELS, ...extents]);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < area; at++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++)
        sum += mask.data[(row * channels + channel) * area + at]!;
      for (let channel = 0; channel < MASK_CHANNELS; channel++) {
        four.data[(row * MASK_CHANNELS + channel) * area + at] = sum / channels;
      }
    }
  }
  return four;
}

/** `count` channels of N×C×…, from `start` on. */
function firstChannels(x: Tensor, count: number, start = 0): Tensor {
  const [rows = 1, channels = 1, ...extents] = x.shape;
  if (count === channels) return x;
  const area = elementCount(extents);
  const kept = tensor([rows, count, ...extents]);
  for (let row = 0; row < rows; row++) {
    const from = (row * channels + start) * area;
    kept.data.set(x.data.subarray(from, from + count * area), row * count * area);
  }
  return kept;
}

/** An encoded picture's tokens (WAN21.extra_conds, clip_fea). */
export const encodedPicture: DenoiserInput = {
  name: 'picture',
  kind: 'rows',
  prepare: ({ pictureStates }) => pictureStates,
};

/** Subjects that a film shows: frames behind its own. */
export const filmSubjects: DenoiserInput = {
  name: 'subjects',
  kind: 'rows',
  prepare: ({ subjects }, { latentFormat }) => subjects && toModelSpace(latentFormat, subjects),
};

/** The last reference's first frame: N×C×h×w. */
export const firstReference: DenoiserInput = {
  name: 'reference',
  kind: 'rows',
  prepare({ referenceLatents }, { latentFormat }) {
    const last = referenceLatents?.at(-1);
    if (last === undefined) return undefined;
    const [rows = 1, channels = 1, , height = 1, width = 1] = last.shape;
    const frame = framed(toModelSpace(latentFormat, last), 1);
    return tensor([rows, channels, height, width], frame.data);
  },
};

/** A camera's path. */
export const cameraPath: DenoiserInput = { name: 'camera', kind: 'rows', prepare: ({ camera }) => camera };

/** Channels of the mask beside a film that steers: a latent pixel's 8×8. */
const STEERING_MASK = 64;

/** Films that steer with their masks, one where there is none: all of it is to be made (WAN21_Vace.extra_conds). */
export const steeringFilms: readonly DenoiserInput[] = [
  {
    name: 'vace',
    kind: 'rows',
    prepare({ steeringFilms: given }, { latent, latentFormat }) {
      const [, , ...extents] = latent.shape;
      const without = () => {
        const mask = tensor([1, STEERING_MASK, ...extents]);
        mask.data.fill(1);
        return [{ frames: tensor([1, 2 * latentFormat.channels, ...extents]), mask }];
      };
      return (given ?? without()).map(({ frames, mask }) =>
        concatChannels(toModelSpace(latentFormat, frames), mask),
      );
    },
  },
  {
    name: 'vace_strength',
    kind: 'constant',
    prepare({ steeringFilms: given }) {
      const strengths = given?.map(({ strength }) => strength) ?? [1];
      return tensor([strengths.length], Float32Array.from(strengths));
    },
  },
];

/** 1 − mask, N×C×F×h×w. */
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
