/** Batches of latents and masks counted and repeated (ComfyUI-VideoHelperSuite, image_latent_nodes.py). */
import { batchOf, repeatRows } from '../../imaging/tensor-ops.js';
import { defineNode, int, link } from '../definition.js';
import { FILM_CATEGORY } from './film-sampling.js';

const count = { type: 'INT', name: 'count' } as const;
const multiply_by = int({
  default: 1,
  min: 1,
  max: Number.MAX_SAFE_INTEGER,
  step: 1,
  tooltip: 'How many times the batch is there afterwards.',
});

export const vhsGetLatentCount = defineNode({
  name: 'VHS_GetLatentCount',
  displayName: 'Get Latent Count 🎥🅥🅗🅢',
  category: `${FILM_CATEGORY}/latent`,
  description: 'How many latents a batch has.',
  required: { latents: link('LATENT') },
  optional: {},
  outputs: [count],
  run: ({ latents }) => ({ outputs: [batchOf(latents.samples)] }),
});

export const vhsGetMaskCount = defineNode({
  name: 'VHS_GetMaskCount',
  displayName: 'Get Mask Count 🎥🅥🅗🅢',
  category: `${FILM_CATEGORY}/mask`,
  description: 'How many masks a batch has.',
  required: { mask: link('MASK') },
  optional: {},
  outputs: [count],
  run: ({ mask }) => ({ outputs: [batchOf(mask)] }),
});

export const vhsDuplicateLatents = defineNode({
  name: 'VHS_DuplicateLatents',
  displayName: 'Repeat Latents 🎥🅥🅗🅢',
  category: `${FILM_CATEGORY}/latent`,
  description: 'Repeats a whole batch of latents.',
  required: { latents: link('LATENT'), multiply_by },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }, count],
  run({ latents, multiply_by: times }) {
    const samples = repeatRows(latents.samples, times);
    return { outputs: [{ ...latents, samples }, batchOf(samples)] };
  },
});

export const vhsDuplicateMasks = defineNode({
  name: 'VHS_DuplicateMasks',
  displayName: 'Repeat Masks 🎥🅥🅗🅢',
  category: `${FILM_CATEGORY}/mask`,
  description: 'Repeats a whole batch of masks.',
  required: { mask: link('MASK'), multiply_by },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }, count],
  run({ mask, multiply_by: times }) {
    const repeated = repeatRows(mask, times);
    return { outputs: [repeated, batchOf(repeated)] };
  },
});
