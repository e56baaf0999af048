/** Steps left out where predictions change little (ComfyUI comfy_extras/nodes_easycache.py). */
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { StepCache } from '../../models/denoiser/guidance.js';
import { boolean, defineNode, float, link } from '../definition.js';

const category = 'advanced/debug';
const share = (standard: number, tooltip: string) =>
  float({ default: standard, min: 0, max: 1, step: 0.01, tooltip });
const required = {
  model: link('MODEL', { tooltip: 'The model to change.' }),
  reuse_threshold: float({
    default: 0.2,
    min: 0,
    max: 3,
    step: 0.01,
    tooltip: 'How much may have changed, as a share of the prediction, before a step is made again.',
  }),
  start_percent: share(0.15, 'Where steps begin to be left out.'),
  end_percent: share(0.95, 'Where they no longer are.'),
  verbose: boolean({ default: false, tooltip: "Does nothing here: ComfyUI's log tells more with it." }),
};
const outputs = [{ type: 'MODEL', name: 'MODEL', tooltip: 'The model that leaves steps out.' }] as const;

interface CacheInputs {
  readonly model: DiffusionModel;
  readonly reuse_threshold: number;
  readonly start_percent: number;
  readonly end_percent: number;
}

/** Another cache on the model makes room for this one. */
function cached(of: StepCache['of'], inputs: CacheInputs): DiffusionModel {
  const { model, reuse_threshold: threshold, start_percent: start, end_percent: end } = inputs;
  const identity = `${model.guidance.identity} cache of ${of} ${threshold} ${start} ${end}`;
  return model.withGuidance({ ...model.guidance, identity, cache: { of, threshold, start, end } });
}

export const easyCache = defineNode({
  name: 'EasyCache',
  displayName: 'EasyCache',
  category,
  description: "Leaves evaluations of the network out where each prompt's would change little.",
  required,
  optional: {},
  outputs,
  run: (inputs) => ({ outputs: [cached('network', inputs)] }),
});

export const lazyCache = defineNode({
  name: 'LazyCache',
  displayName: 'LazyCache',
  category,
  description: 'Leaves whole steps out where the guided prediction would change little.',
  required,
  optional: {},
  outputs,
  run: (inputs) => ({ outputs: [cached('prediction', inputs)] }),
});
