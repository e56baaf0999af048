/** Models made of two others, weight by weight (ComfyUI comfy_extras/nodes_model_merging.py). */
import type { TextEncoders } from '../../models/text/text-encoders.js';
import { mergePatches, type MergeShares } from '../../models/weights/merge.js';
import type { WeightPatches } from '../../models/weights/weight-patches.js';
import type { RunContext } from '../context.js';
import { defineNode, float, link } from '../definition.js';
import { mergedModel, misfitWarning, shareOf } from './merged-model.js';

const category = 'model/merging';
const models = {
  model1: link('MODEL', { tooltip: 'What is changed.' }),
  model2: link('MODEL', { tooltip: 'What is mixed in.' }),
};
const clips = {
  clip1: link('CLIP', { tooltip: 'What is changed.' }),
  clip2: link('CLIP', { tooltip: 'What is mixed in.' }),
};
const modelOutput = [{ type: 'MODEL', name: 'MODEL' }] as const;
const clipOutput = [{ type: 'CLIP', name: 'CLIP' }] as const;

const ratio = (tooltip: string) => float({ default: 1, min: 0, max: 1, step: 0.01, tooltip });
const multiplier = float({
  default: 1,
  min: -10,
  max: 10,
  step: 0.01,
  tooltip: 'Times the difference between both.',
});

const mixed = (shareOfFirst: number): MergeShares => ({ own: shareOfFirst, other: 1 - shareOfFirst });
const difference = (times: number): MergeShares => ({ own: times, other: -times });
const sum: MergeShares = { own: 1, other: 1 };

function mergedClip(
  own: TextEncoders,
  other: TextEncoders,
  shares: MergeShares,
  { warn }: Pick<RunContext, 'warn'>,
): TextEncoders {
  const patches: Record<string, WeightPatches> = {};
  for (const [name, weights] of Object.entries(own.weights)) {
    const from = other.weights[name];
    if (from === undefined) continue;
    const isLeft = (key: string): boolean =>
      /\.(position_ids|logit_scale)$/.test(key) || key === 'logit_scale';
    const merge = mergePatches(weights, from, (key) => (isLeft(key) ? undefined : shares));
    if (merge.misfits.length > 0) warn(misfitWarning(merge.misfits));
    patches[name] = merge.patches;
  }
  return own.withPatches(patches);
}

export const modelMergeSimple = defineNode({
  name: 'ModelMergeSimple',
  displayName: 'ModelMergeSimple',
  category,
  description: 'Mixes two models.',
  required: { ...models, ratio: ratio('Share of the first; 1 for it alone.') },
  optional: {},
  outputs: modelOutput,
  run: ({ model1, model2, ratio: share }, context) => ({
    outputs: [mergedModel(model1, model2, () => mixed(share), context)],
  }),
});

export const modelMergeSubtract = defineNode({
  name: 'ModelMergeSubtract',
  displayName: 'ModelMergeSubtract',
  category,
  description: 'The first model minus the second, weight by weight.',
  required: { ...models, multiplier },
  optional: {},
  outputs: modelOutput,
  run: ({ model1, model2, multiplier: times }, context) => ({
    outputs: [mergedModel(model1, model2, () => difference(times), context)],
  }),
});

export const modelMergeAdd = defineNode({
  name: 'ModelMergeAdd',
  displayName: 'ModelMergeAdd',
  category,
  description: 'The sum of two models, weight by weight.',
  required: models,
  optional: {},
  outputs: modelOutput,
  run: ({ model1, model2 }, context) => ({ outputs: [mergedModel(model1, model2, () => sum, context)] }),
});

export const modelMergeBlocks = defineNode({
  name: 'ModelMergeBlocks',
  displayName: 'ModelMergeBlocks',
  category,
  description:
    "Mixes two models, a UNet's input, middle and output blocks apart; what else it has goes with the input blocks.",
  required: {
    ...models,
    input: ratio('Share of the first in the input blocks, and in what is no block.'),
    middle: ratio('Its share in the middle.'),
    out: ratio('Its share in the output blocks.'),
  },
  optional: {},
  outputs: modelOutput,
  run: ({ model1, model2, ...shares }, context) => ({
    outputs: [mergedModel(model1, model2, (key) => mixed(shareOf(key, shares)), context)],
  }),
});

export const clipMergeSimple = defineNode({
  name: 'CLIPMergeSimple',
  displayName: 'CLIPMergeSimple',
  category,
  description: 'Mixes the text encoders of two models.',
  required: { ...clips, ratio: ratio('Share of the first; 1 for it alone.') },
  optional: {},
  outputs: clipOutput,
  run: ({ clip1, clip2, ratio: share }, context) => ({
    outputs: [mergedClip(clip1, clip2, mixed(share), context)],
  }),
});

export const clipMergeSubtract = defineNode({
  name: 'CLIPMergeSubtract',
  displayName: 'CLIPMergeSubtract',
  category,
  description: 'The first text encoders minus the second, weight by weight.',
  required: { ...clips, multiplier },
  optional: {},
  outputs: clipOutput,
  run: ({ clip1, clip2, multiplier: times }, context) => ({
    outputs: [mergedClip(clip1, clip2, difference(times), context)],
  }),
});

export const clipMergeAdd = defineNode({
  name: 'CLIPMergeAdd',
  displayName: 'CLIPMergeAdd',
  category,
  description: 'The sum of two text encoders, weight by weight.',
  required: clips,
  optional: {},
  outputs: clipOutput,
  run: ({ clip1, clip2 }, context) => ({ outputs: [mergedClip(clip1, clip2, sum, context)] }),
});
