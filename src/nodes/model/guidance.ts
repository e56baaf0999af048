/** Changes of guidance that travel with a model (ComfyUI comfy_extras/nodes_model_advanced.py, nodes_perpneg.py and nodes_sag.py). */
import { randomUUID } from 'node:crypto';
import { changesOfKind } from '../../models/denoiser/changes.js';
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import { ModelError } from '../../models/model-error.js';
import type { Guidance } from '../../models/denoiser/guidance.js';
import { perpNegGuidance } from '../../sampling/perp-neg.js';
import { rescaleCfg as rescaleCfgBy } from '../../sampling/guidance-methods/rescale-cfg.js';
import { selfAttentionGuidance as selfAttentionGuidanceBy } from '../../sampling/guidance-methods/self-attention-guidance.js';
import { defineNode, float, link } from '../definition.js';

const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;

/** The model with another way of combining its predictions, whose `identity` names all that it depends on. */
function combiningBy(
  own: DiffusionModel,
  identity: string,
  combine: NonNullable<Guidance['combine']>,
): DiffusionModel {
  return own.withGuidance({ ...own.guidance, identity: `${own.guidance.identity} ${identity}`, combine });
}

export const rescaleCfg = defineNode({
  name: 'RescaleCFG',
  displayName: 'RescaleCFG',
  category: 'model/patch',
  description:
    'Brings the contrast that guidance adds back to that of the prompt alone; for v-prediction models.',
  required: {
    model,
    multiplier: float({
      default: 0.7,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'How far; at 0 guidance stays as it is.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, multiplier }) => ({
    outputs: [combiningBy(own, `rescale ${multiplier}`, rescaleCfgBy(multiplier))],
  }),
});

export const perpNeg = defineNode({
  name: 'PerpNeg',
  displayName: 'Perp-Neg (DEPRECATED by Perp-Neg Guider)',
  category: 'experimental',
  description: 'Lets the negative prompt push only across the direction of the positive one.',
  required: {
    model,
    empty_conditioning: link('CONDITIONING', { tooltip: 'An empty prompt.' }),
    neg_scale: float({
      default: 1,
      min: 0,
      max: 100,
      step: 0.01,
      tooltip: 'How strongly the negative prompt pushes.',
    }),
  },
  optional: {},
  outputs,
  run: ({ model: own, empty_conditioning, neg_scale }) => ({
    // The prompt has no name of its own.
    outputs: [combiningBy(own, `perp neg ${randomUUID()}`, perpNegGuidance(empty_conditioning, neg_scale))],
  }),
});

export const selfAttentionGuidance = defineNode({
  name: 'SelfAttentionGuidance',
  displayName: 'Self-Attention Guidance',
  category: 'experimental',
  description: 'Guides away from a prediction in which the parts that the model attends to were blurred.',
  required: {
    model,
    scale: float({
      default: 0.5,
      min: -2,
      max: 5,
      step: 0.01,
      tooltip: 'How far; negative values lead towards the blurred one.',
    }),
    blur_sigma: float({ default: 2, min: 0, max: 10, step: 0.1, tooltip: 'How much is blurred.' }),
  },
  optional: {},
  outputs,
  run({ model: own, scale, blur_sigma }) {
    const { guidance, changes } = own;
    if (changesOfKind(changes, 'record-attention').length > 0) {
      throw new ModelError('SelfAttentionGuidance is on this model already: one is all it can take');
    }
    const guided = own.withGuidance({
      ...guidance,
      identity: `${guidance.identity} sag ${scale} ${blur_sigma}`,
      needsUncond: true,
      after: [...(guidance.after ?? []), selfAttentionGuidanceBy(scale, blur_sigma)],
    });
    return { outputs: [guided.withChanges([...changes, { kind: 'record-attention' }])] };
  },
});
