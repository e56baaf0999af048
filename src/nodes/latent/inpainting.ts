/** Changing a part of a picture (ComfyUI nodes.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { rgbOf } from '../../imaging/channels.js';
import { withChannel } from '../../imaging/latent-channels.js';
import { crop, IMAGE_ROWS, LATENT_ROWS } from '../../imaging/planes.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { batchOf, mapValues } from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { boolean, defineNode, int, link } from '../definition.js';
import type { Conditioning } from '../values.js';

type Extents = readonly [batch: number, height: number, width: number, channels: number];

export const setLatentNoiseMask = defineNode({
  name: 'SetLatentNoiseMask',
  displayName: 'Set Latent Noise Mask',
  category: 'model/latent',
  description: 'Limits sampling to where a mask is white; the rest of the latent stays as it is.',
  required: { samples: link('LATENT'), mask: link('MASK') },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, mask }) {
    return { outputs: [{ ...latent, noiseMask: withChannel(mask) }] };
  },
});

export const vaeEncodeForInpaint = defineNode({
  name: 'VAEEncodeForInpaint',
  displayName: 'VAE Encode (for Inpainting)',
  category: 'model/latent',
  description: 'Encodes images with the masked part made grey, and limits sampling to the grown mask.',
  required: {
    pixels: link('IMAGE'),
    vae: link('VAE'),
    mask: link('MASK'),
    grow_mask_by: int({
      default: 6,
      min: 0,
      max: 64,
      step: 1,
      tooltip: 'Pixels by which the mask grows, to hide the seam.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ pixels, vae, mask, grow_mask_by }) {
    const fitted = fitMask(rgbOf(pixels), mask, vae.downscale);
    const samples = await vae.encode(greyedOut(fitted.pixels, fitted.mask));
    const noiseMask = mapValues(grow(fitted.mask, grow_mask_by), roundHalfEven);
    return { outputs: [{ samples, noiseMask }] };
  },
});

export const inpaintModelConditioning = defineNode({
  name: 'InpaintModelConditioning',
  displayName: 'InpaintModelConditioning',
  category: 'model/conditioning',
  description: 'Shows an inpainting model the picture with the masked part made grey, and the mask.',
  required: {
    positive: link('CONDITIONING'),
    negative: link('CONDITIONING'),
    vae: link('VAE'),
    pixels: link('IMAGE'),
    mask: link('MASK'),
    noise_mask: boolean({ default: true, tooltip: 'Limits sampling to the mask as well.' }),
  },
  optional: {},
  outputs: [
    { type: 'CONDITIONING', name: 'positive' },
    { type: 'CONDITIONING', name: 'negative' },
    { type: 'LATENT', name: 'latent' },
  ],
  async run({ positive, negative, vae, pixels, mask, noise_mask }) {
    const image = rgbOf(pixels);
    const fitted = fitMask(image, mask, 8);
    const concatLatentImage = await vae.encode(greyedOut(fitted.pixels, fitted.mask));
    const samples = await vae.encode(image);
    const shown = (conditioning: Conditioning) =>
      conditioning.map((entry) => ({ ...entry, concatLatentImage, concatMask: fitted.mask }));
    const latent = noise_mask ? { samples, noiseMask: fitted.mask } : { samples };
    return { outputs: [shown(positive), shown(negative), latent] };
  },
});

interface Fitted {
  /** N×H×W×3. */
  readonly pixels: Tensor;
  /** N×1×H×W. */
  readonly mask: Tensor;
}

/** The mask resized to the image, both cropped to multiples of `multiple` pixels, centred. */
function fitMask(pixels: Tensor, mask: Tensor, multiple: number): Fitted {
  const [, height, width] = pixels.shape as Extents;
  const resized = upscaleLatent(withChannel(mask), 'bilinear', { width, height });
  const inside = {
    y: Math.floor((height % multiple) / 2),
    x: Math.floor((width % multiple) / 2),
    height: Math.floor(height / multiple) * multiple,
    width: Math.floor(width / multiple) * multiple,
  };
  if (inside.height === height && inside.width === width) return { pixels, mask: resized };
  return { pixels: crop(pixels, IMAGE_ROWS, inside), mask: crop(resized, LATENT_ROWS, inside) };
}

/** Images with 0.5 where the mask rounds to 1. A single mask serves every image. */
function greyedOut(pixels: Tensor, mask: Tensor): Tensor {
  const masks = batchOf(mask);
  if (masks !== 1 && masks !== batchOf(pixels)) {
    throw new RangeError(`${masks} masks can't go with ${batchOf(pixels)} images: give one, or one for each`);
  }
  const kept = mask.data.map((value) => 1 - roundHalfEven(value));
  const result = tensor(pixels.shape, pixels.data.slice());
  for (let i = 0; i < result.data.length; i += 3) {
    const share = kept[(i / 3) % kept.length]!;
    for (let at = i; at < i + 3; at++) {
      result.data[at] = Math.fround(Math.fround(result.data[at]! - 0.5) * share) + 0.5;
    }
  }
  return result;
}

/**
 * The rounded mask grown by a square of `size` pixels, clamped to [0, 1]. The square of an even size lies half a pixel to
 * the upper left (ComfyUI convolves with padding ⌈(size − 1) / 2⌉ and cuts the far edge).
 */
function grow(mask: Tensor, size: number): Tensor {
  if (size === 0) return mask;
  const [, , height, width] = mask.shape as readonly [number, number, number, number];
  const before = Math.ceil((size - 1) / 2);
  const rounded = mask.data.map(roundHalfEven);
  const across = windowSums(rounded, width, 1, size, before);
  const sums = windowSums(across, height, width, size, before);
  return tensor(
    mask.shape,
    sums.map((sum) => Math.min(Math.max(sum, 0), 1)),
  );
}

/**
 * Along the middle axis of lines × `extent` × `stride`, the sum of positions i − before … i − before + size − 1 at each i;
 * nothing outside counts. Values are whole numbers, so running sums stay exact.
 */
function windowSums(
  values: Float32Array,
  extent: number,
  stride: number,
  size: number,
  before: number,
): Float32Array {
  const sums = new Float32Array(values.length);
  for (let line = 0; line < values.length / extent; line++) {
    const start = Math.floor(line / stride) * extent * stride + (line % stride);
    const at = (position: number) =>
      position >= 0 && position < extent ? values[start + position * stride]! : 0;
    let sum = 0;
    for (let position = -before; position < size - before - 1; position++) sum += at(position);
    for (let i = 0; i < extent; i++) {
      sum += at(i - before + size - 1);
      sums[start + i * stride] = sum;
      sum -= at(i - before);
    }
  }
  return sums;
}
