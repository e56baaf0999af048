/** Making, cutting and joining batches of latents (ComfyUI nodes.py, comfy_extras/nodes_latent.py). */
import { tensor } from '../../compute/tensor.js';
import {
  batchOf,
  concatRows,
  repeatRows,
  resizeBatch,
  rowAt,
  sameRows,
  takeRows,
} from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { combo, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';
import type { Latent } from '../values.js';

export const emptyLatentImage = defineNode({
  name: 'EmptyLatentImage',
  displayName: 'Empty Latent Image',
  category: 'model/latent',
  description: 'A batch of empty latents, from which sampling makes pictures out of noise alone.',
  required: {
    width: int({
      default: 512,
      min: 16,
      max: MAX_RESOLUTION,
      step: 8,
      tooltip: 'Width of the pictures, in pixels.',
    }),
    height: int({
      default: 512,
      min: 16,
      max: MAX_RESOLUTION,
      step: 8,
      tooltip: 'Height of the pictures, in pixels.',
    }),
    batch_size: int({ default: 1, min: 1, max: 4096, tooltip: 'How many pictures.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT', tooltip: 'The empty latents.' }],
  run({ width, height, batch_size }) {
    const samples = tensor([batch_size, 4, Math.floor(height / 8), Math.floor(width / 8)]);
    return { outputs: [{ samples, madeFor: { downscale: 8 } }] };
  },
});

export const latentFromBatch = defineNode({
  name: 'LatentFromBatch',
  displayName: 'Get Latent From Batch',
  category: 'model/latent/batch',
  description: 'Takes latents out of a batch; each keeps the noise that it has in the whole batch.',
  required: {
    samples: link('LATENT'),
    batch_index: int({
      default: 0,
      min: -MAX_RESOLUTION,
      max: MAX_RESOLUTION,
      tooltip: 'The first one to take, counted from 0, or from the end below 0.',
    }),
    length: int({ default: 1, min: 1, max: 64, tooltip: 'How many to take.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, batch_index, length }) {
    const batch = batchOf(latent.samples);
    const start = rowAt(batch, batch_index);
    const count = Math.min(batch - start, length);
    return {
      outputs: [
        {
          ...latent,
          samples: takeRows(latent.samples, start, count),
          ...(latent.noiseMask === undefined
            ? {}
            : { noiseMask: maskRows(latent.noiseMask, batch, start, count) }),
          batchIndex:
            latent.batchIndex?.slice(start, start + count) ??
            Array.from({ length: count }, (_, index) => start + index),
        },
      ],
    };
  },
});

/** Rows of a noise mask: one mask serves the whole batch, a shorter batch of masks begins again. */
function maskRows(masks: NonNullable<Latent['noiseMask']>, batch: number, start: number, count: number) {
  if (batchOf(masks) === 1) return masks;
  const whole = batchOf(masks) < batch ? resizeBatch(masks, batch) : masks;
  return takeRows(whole, start, Math.min(count, batchOf(whole) - start));
}

export const repeatLatentBatch = defineNode({
  name: 'RepeatLatentBatch',
  displayName: 'Repeat Latent Batch',
  category: 'model/latent/batch',
  description: 'Repeats a whole batch of latents; each repetition gets noise of its own.',
  required: {
    samples: link('LATENT'),
    amount: int({ default: 1, min: 1, max: 64, tooltip: 'How many times the batch is there afterwards.' }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, amount }) {
    const { noiseMask, batchIndex } = latent;
    return {
      outputs: [
        {
          ...latent,
          samples: repeatRows(latent.samples, amount),
          // The masks as they are, even if fewer than latents: sampling begins them again.
          ...(noiseMask !== undefined && batchOf(noiseMask) > 1
            ? { noiseMask: repeatRows(noiseMask, amount) }
            : {}),
          ...(batchIndex === undefined ? {} : { batchIndex: repeatIndex(batchIndex, amount) }),
        },
      ],
    };
  },
});

/** Draws of the noise generator for each repetition, following those of the one before. */
function repeatIndex(batchIndex: readonly number[], amount: number): number[] {
  const span = Math.max(...batchIndex) - Math.min(...batchIndex) + 1;
  return Array.from({ length: amount }, (_, time) => batchIndex.map((index) => index + time * span)).flat();
}

export const latentBatch = defineNode({
  name: 'LatentBatch',
  displayName: 'Batch Latents (DEPRECATED)',
  category: 'model/latent/batch',
  description: 'Joins two batches of latents; the second is resized to the first where they differ.',
  required: { samples1: link('LATENT'), samples2: link('LATENT') },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples1, samples2 }) {
    const first = samples1.samples;
    const [, , height, width] = first.shape as readonly [number, number, number, number];
    const second = sameRows(first, samples2.samples)
      ? samples2.samples
      : upscaleLatent(samples2.samples, 'bilinear', { width, height, crop: 'center' });
    const indices = ({ batchIndex, samples }: Latent) => batchIndex ?? [...Array(batchOf(samples)).keys()];
    return {
      outputs: [
        {
          ...samples1,
          samples: concatRows(first, second),
          batchIndex: [...indices(samples1), ...indices(samples2)],
        },
      ],
    };
  },
});

export const latentBatchSeedBehavior = defineNode({
  name: 'LatentBatchSeedBehavior',
  displayName: 'LatentBatchSeedBehavior',
  category: 'model/latent/advanced',
  description: 'Gives each latent of a batch noise of its own, or all of them the same.',
  required: {
    samples: link('LATENT'),
    seed_behavior: combo(['random', 'fixed'], {
      default: 'fixed',
      tooltip: 'fixed gives every latent the noise of the first.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, seed_behavior }) {
    const { batchIndex, ...own } = latent;
    if (seed_behavior === 'random') return { outputs: [own] };
    const draw = batchIndex?.[0] ?? 0;
    return { outputs: [{ ...own, batchIndex: Array<number>(batchOf(own.samples)).fill(draw) }] };
  },
});
