/** Arithmetic on latents and laying one over another (ComfyUI nodes.py, comfy_extras/nodes_latent.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import {
  combineValues,
  formatShape,
  mapValues,
  mixValues,
  resizeBatch,
  sameRows,
} from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { defineNode, float, link } from '../definition.js';

type Extents = readonly [batch: number, channels: number, height: number, width: number];

/** Resized and repeated to the shape of `target` (nodes_latent.py, reshape_latent_to). */
function reshapedTo(target: Tensor, samples: Tensor): Tensor {
  const [batch, , height, width] = target.shape as Extents;
  const resized = sameRows(target, samples)
    ? samples
    : upscaleLatent(samples, 'bilinear', { width, height, crop: 'center' });
  return resizeBatch(resized, batch);
}

export const latentAdd = defineNode({
  name: 'LatentAdd',
  displayName: 'LatentAdd',
  category: 'model/latent/advanced',
  description: 'Adds latents, value by value.',
  required: { samples1: link('LATENT'), samples2: link('LATENT') },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples1, samples2 }) {
    const other = reshapedTo(samples1.samples, samples2.samples);
    return {
      outputs: [{ ...samples1, samples: combineValues(samples1.samples, other, (a, b) => a + b) }],
    };
  },
});

export const latentSubtract = defineNode({
  name: 'LatentSubtract',
  displayName: 'LatentSubtract',
  category: 'model/latent/advanced',
  description: 'Subtracts latents, value by value.',
  required: { samples1: link('LATENT'), samples2: link('LATENT') },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples1, samples2 }) {
    const other = reshapedTo(samples1.samples, samples2.samples);
    return {
      outputs: [{ ...samples1, samples: combineValues(samples1.samples, other, (a, b) => a - b) }],
    };
  },
});

export const latentMultiply = defineNode({
  name: 'LatentMultiply',
  displayName: 'LatentMultiply',
  category: 'model/latent/advanced',
  description: 'Multiplies latents by a number.',
  required: {
    samples: link('LATENT'),
    multiplier: float({ default: 1, min: -10, max: 10, step: 0.01, tooltip: 'The factor.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, multiplier }) {
    const factor = Math.fround(multiplier);
    return { outputs: [{ ...latent, samples: mapValues(latent.samples, (value) => value * factor) }] };
  },
});

export const latentInterpolate = defineNode({
  name: 'LatentInterpolate',
  displayName: 'LatentInterpolate',
  category: 'model/latent/advanced',
  description:
    'Turns from one latent to another: directions and lengths of the channel vectors are mixed apart.',
  required: {
    samples1: link('LATENT'),
    samples2: link('LATENT'),
    ratio: float({ default: 1, min: 0, max: 1, step: 0.01, tooltip: 'Share of samples1.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples1, samples2, ratio }) {
    const other = reshapedTo(samples1.samples, samples2.samples);
    return { outputs: [{ ...samples1, samples: interpolate(samples1.samples, other, ratio) }] };
  },
});

/**
 * ComfyUI divides N×C×h×w by norms of shape N×h×w, which torch lines up with the channels: right for one latent, and
 * for as many latents as channels each channel takes the norms of the latent of its number. Other batches fail there.
 */
function interpolate(first: Tensor, second: Tensor, ratio: number): Tensor {
  const [batch, channels, height, width] = first.shape as Extents;
  if (batch !== 1 && batch !== channels) {
    throw new RangeError(
      `LatentInterpolate takes one latent at a time (or ${channels}), got a batch of ${batch}: take single ones with LatentFromBatch`,
    );
  }
  const pixels = height * width;
  const weights = [Math.fround(ratio), Math.fround(1 - ratio)] as const;
  const mix = (a: number, b: number) =>
    Math.fround(Math.fround(a * weights[0]) + Math.fround(b * weights[1]));
  const normalized = (value: number, norm: number) => finite(Math.fround(value / norm));
  const normIndex = (index: number) =>
    batch === 1 ? index % pixels : (Math.floor(index / pixels) % channels) * pixels + (index % pixels);
  const [norms1, norms2] = [channelNorms(first), channelNorms(second)];
  const mixed = tensor(
    first.shape,
    first.data.map((value, index) => {
      const at = normIndex(index);
      return mix(normalized(value, norms1[at]!), normalized(second.data[index]!, norms2[at]!));
    }),
  );
  const mixedNorms = channelNorms(mixed);
  return tensor(
    first.shape,
    mixed.data.map((value, index) => {
      const at = normIndex(index);
      return normalized(value, mixedNorms[at]!) * mix(norms1[at]!, norms2[at]!);
    }),
  );
}

/** Lengths of the channel vectors, N×h×w. */
function channelNorms(samples: Tensor): Float32Array {
  const [batch, channels, height, width] = samples.shape as Extents;
  const pixels = height * width;
  return Float32Array.from({ length: batch * pixels }, (_, index) => {
    const start = Math.floor(index / pixels) * channels * pixels + (index % pixels);
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const value = samples.data[start + channel * pixels]!;
      sum += value * value;
    }
    return Math.sqrt(sum);
  });
}

/** torch.nan_to_num for float32. */
function finite(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, value));
}
const FLOAT32_MAX = 3.4028234663852886e38;

export const latentBlend = defineNode({
  name: 'LatentBlend',
  displayName: 'Latent Blend',
  category: 'experimental',
  description: 'Mixes two latents; the second is resized to the first where they differ.',
  required: {
    samples1: link('LATENT'),
    samples2: link('LATENT'),
    blend_factor: float({ default: 0.5, min: 0, max: 1, step: 0.01, tooltip: 'Share of samples1.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples1, samples2, blend_factor }) {
    const [first, second] = [samples1.samples, samples2.samples];
    const [, , height, width] = first.shape as Extents;
    const resized =
      formatShape(first) === formatShape(second)
        ? second
        : upscaleLatent(second, 'bicubic', { width, height, crop: 'center' });
    return { outputs: [{ ...samples1, samples: mixValues(first, resized, blend_factor) }] };
  },
});
