/** How predictions are guided (ComfyUI comfy_extras/nodes_custom_sampler.py and nodes_perpneg.py). */
import { basicGuider as promptAlone, cfgGuider as cfgGuiderOf } from '../../sampling/cfg-guider.js';
import { dualCfgGuider as dualCfgGuiderOf } from '../../sampling/dual-cfg-guider.js';
import { dualModelGuider as dualModelGuiderOf } from '../../sampling/dual-model-guider.js';
import { perpNegGuider as perpNegGuiderOf } from '../../sampling/perp-neg.js';
import { combo, defineNode, float, link } from '../definition.js';

const category = 'model/sampling/guiders';
const outputs = [{ type: 'GUIDER', name: 'GUIDER' }] as const;
const model = link('MODEL', { tooltip: 'The model that predicts.' });

const cfg = (tooltip: string) => float({ default: 8, min: 0, max: 100, step: 0.1, round: 0.01, tooltip });

export const basicGuider = defineNode({
  name: 'BasicGuider',
  displayName: 'Basic Guider',
  category,
  description: 'A prompt alone, without guidance.',
  required: { model, conditioning: link('CONDITIONING', { tooltip: 'What the picture should show.' }) },
  optional: {},
  outputs,
  run: (inputs) => ({ outputs: [promptAlone(inputs.model, inputs.conditioning)] }),
});

export const cfgGuider = defineNode({
  name: 'CFGGuider',
  displayName: 'CFG Guider',
  category,
  description: 'Classifier-free guidance from a negative to a positive prompt.',
  required: {
    model,
    positive: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
    negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
    cfg: cfg('How far it leads away from the negative prompt.'),
  },
  optional: {},
  outputs,
  run: (inputs) => ({ outputs: [cfgGuiderOf(inputs.model, inputs, inputs.cfg)] }),
});

export const dualCfgGuider = defineNode({
  name: 'DualCFGGuider',
  displayName: 'Dual CFG Guider',
  category,
  description: 'Guidance by two prompts: from a negative one to the second, and from there to the first.',
  required: {
    model,
    cond1: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
    cond2: link('CONDITIONING', { tooltip: 'The prompt between the two others.' }),
    negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
    cfg_conds: cfg('How far it leads from cond2 to cond1.'),
    cfg_cond2_negative: cfg('How far it leads from the negative prompt to cond2.'),
    style: combo(['regular', 'nested'], {
      tooltip: 'Adds both leads up, or leads from the negative prompt to where cond1 and cond2 lead.',
    }),
  },
  optional: {},
  outputs,
  run({ model: own, cond1, cond2, negative, cfg_conds, cfg_cond2_negative, style }) {
    const prompts = { positive: cond1, middle: cond2, negative };
    const scales = { conds: cfg_conds, middleToNegative: cfg_cond2_negative, nested: style === 'nested' };
    return { outputs: [dualCfgGuiderOf(own, prompts, scales)] };
  },
});

export const dualModelGuider = defineNode({
  name: 'DualModelGuider',
  displayName: 'Dual Model CFG Guider',
  category,
  description: 'Classifier-free guidance whose negative prompt another model predicts.',
  required: {
    model: link('MODEL', { tooltip: 'The model that predicts with the positive prompt.' }),
    positive: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
    cfg: float({
      default: 4,
      min: 0,
      max: 100,
      step: 0.1,
      round: 0.01,
      tooltip: 'How far it leads away from the negative prompt.',
    }),
  },
  optional: {
    model_negative: link('MODEL', { tooltip: 'The model that predicts with the negative prompt.' }),
    negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
  },
  outputs,
  run({ model: own, positive, cfg: scale, model_negative: other, negative }) {
    if (negative === undefined && scale !== 1) {
      throw new TypeError('link `negative`: no family here predicts without any text; or take a cfg of 1');
    }
    const prompts = { positive, negative: negative ?? [] };
    if (other === undefined) return { outputs: [cfgGuiderOf(own, prompts, scale)] };
    return { outputs: [dualModelGuiderOf({ positive: own, negative: other }, prompts, scale)] };
  },
});

export const perpNegGuider = defineNode({
  name: 'PerpNegGuider',
  displayName: 'Perp-Neg Guider',
  category: 'experimental',
  description: 'Guidance in which the negative prompt pushes only across the direction of the positive one.',
  required: {
    model,
    positive: link('CONDITIONING', { tooltip: 'What the picture should show.' }),
    negative: link('CONDITIONING', { tooltip: 'What the picture should not show.' }),
    empty_conditioning: link('CONDITIONING', { tooltip: 'An empty prompt.' }),
    cfg: cfg('How far it leads away from the empty prompt.'),
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
  run({ model: own, positive, negative, empty_conditioning: empty, cfg: scale, neg_scale }) {
    const scales = { cfg: scale, negativeScale: neg_scale };
    return { outputs: [perpNegGuiderOf(own, { positive, negative, empty }, scales)] };
  },
});
