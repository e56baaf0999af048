/** Changes within a network's blocks (ComfyUI comfy_extras/nodes_model_downscale.py, nodes_nag.py and nodes_hypernetwork.py). */
import { boolean, combo, defineNode, float, int, link } from '../definition.js';
import { modelFingerprint } from '../files/model-files.js';

const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;
const methods = ['bicubic', 'nearest-exact', 'bilinear', 'area', 'bislerp'] as const;

function separable(method: (typeof methods)[number]): Exclude<(typeof methods)[number], 'bislerp'> {
  if (method !== 'bislerp') return method;
  throw new RangeError(
    'PatchModelAddDownscale: a network here resizes its features by bicubic, nearest-exact, bilinear or area; bislerp is for latents',
  );
}

export const patchModelAddDownscale = defineNode({
  name: 'PatchModelAddDownscale',
  displayName: 'PatchModelAddDownscale (Kohya Deep Shrink)',
  category: 'model/patch/unet',
  description: 'Shrinks features in the first steps, so that large pictures keep one composition.',
  required: {
    model,
    block_number: int({
      default: 3,
      min: 1,
      max: 32,
      step: 1,
      tooltip: 'The input block after which they shrink.',
    }),
    downscale_factor: float({ default: 2, min: 0.1, max: 9, step: 0.001, tooltip: 'By how much.' }),
    start_percent: float({
      default: 0,
      min: 0,
      max: 1,
      step: 0.001,
      tooltip: 'Share of sampling at which it begins.',
    }),
    end_percent: float({
      default: 0.35,
      min: 0,
      max: 1,
      step: 0.001,
      tooltip: 'Share of sampling at which it ends.',
    }),
    downscale_after_skip: boolean({
      default: true,
      tooltip: 'Whether what the output block of the same size is given stays as it is.',
    }),
    downscale_method: combo(methods, { tooltip: 'How features shrink.' }),
    upscale_method: combo(methods, { tooltip: 'How they grow again.' }),
  },
  optional: {},
  outputs,
  run({ model: own, block_number, downscale_factor, start_percent, end_percent, ...how }) {
    const { levels } = own.sampling;
    const change = {
      kind: 'shrink',
      block: block_number,
      factor: downscale_factor,
      highest: levels.percentToSigma(start_percent),
      lowest: levels.percentToSigma(end_percent),
      afterSkip: how.downscale_after_skip,
      down: separable(how.downscale_method),
      up: separable(how.upscale_method),
    } as const;
    return { outputs: [own.withChanges([...own.changes, change])] };
  },
});

export const naGuidance = defineNode({
  name: 'NAGuidance',
  displayName: 'Normalized Attention Guidance',
  category: 'advanced/guidance',
  description: 'Leads attention away from the negative prompt, also where guidance has no scale.',
  required: {
    model,
    nag_scale: float({
      default: 5,
      min: 0,
      max: 50,
      step: 0.1,
      tooltip: 'How far it is led away.',
    }),
    nag_alpha: float({
      default: 0.5,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'The share of what is led away in the result.',
    }),
    nag_tau: float({ default: 1.5, min: 1, max: 10, step: 0.01, tooltip: 'How much longer it may get.' }),
  },
  optional: {},
  outputs,
  run({ model: own, nag_scale: scale, nag_alpha: alpha, nag_tau: tau }) {
    const { guidance } = own;
    const led = own.withChanges([...own.changes, { kind: 'guide-attention', scale, alpha, tau }]);
    return {
      outputs: [led.withGuidance({ ...guidance, identity: `${guidance.identity} nag`, needsUncond: true })],
    };
  },
});

export const hypernetworkLoader = defineNode({
  name: 'HypernetworkLoader',
  displayName: 'Load Hypernetwork',
  category: 'model/loaders',
  description: 'Small networks that change what a model attends to.',
  required: {
    model,
    hypernetwork_name: combo((folders) => folders.list('hypernetworks'), { tooltip: 'The hypernetwork.' }),
    strength: float({ default: 1, min: -10, max: 10, step: 0.01, tooltip: 'How strongly it changes it.' }),
  },
  optional: {},
  outputs,
  fingerprint: ({ hypernetwork_name }, folders) =>
    modelFingerprint(folders, 'hypernetworks', hypernetwork_name),
  run({ model: own, hypernetwork_name, strength }, { folders, models }) {
    const network = models.hypernetwork(folders.resolve('hypernetworks', hypernetwork_name));
    return {
      outputs: [own.withChanges([...own.changes, { kind: 'hypernetwork', network, strength }])],
    };
  },
});
