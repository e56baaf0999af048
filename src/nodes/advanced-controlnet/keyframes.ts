/** Weights and keyframes (ComfyUI-Advanced-ControlNet adv_control/nodes_weight.py, nodes_keyframes.py, nodes_deprecated.py). */
import { ALWAYS, withKeyframe } from '../../models/control/keyframe.js';
import { boolean, defineNode, float, int, link } from '../definition.js';
import { CONTROL_NET_WEIGHTS, extras, LATENT_KEYFRAME, TIMESTEP_KEYFRAME } from './types.js';

const base_multiplier = float({ default: 0.825, min: 0, max: 1, step: 0.001 });
const weightsOptional = {
  uncond_multiplier: float({ default: 1, min: 0, max: 1, step: 0.01 }),
  cn_extras: extras,
};
const weightsOutputs = [
  { type: CONTROL_NET_WEIGHTS, name: 'CN_WEIGHTS' },
  { type: TIMESTEP_KEYFRAME, name: 'TK_SHORTCUT' },
] as const;
const weightsDescribed = {
  displayName: 'Scaled Soft Weights 🛂🅐🅒🅝',
  description:
    'Makes the layers of a ControlNet count the less the earlier they are, as "My prompt is more important" does.',
};

function softWeights(base: number, negative = 1) {
  const weights = { base, negative };
  return { outputs: [weights, [{ ...ALWAYS, guaranteedSteps: 1, weights }]] } as const;
}

export const scaledSoftControlNetWeights = defineNode({
  ...weightsDescribed,
  name: 'ScaledSoftControlNetWeights',
  category: '',
  required: { base_multiplier, flip_weights: boolean({ default: false }) },
  optional: weightsOptional,
  outputs: weightsOutputs,
  run: ({ base_multiplier: base, uncond_multiplier }) => softWeights(base, uncond_multiplier),
});

export const acnScaledSoftControlNetWeights = defineNode({
  ...weightsDescribed,
  name: 'ACN_ScaledSoftControlNetWeights',
  category: 'Adv-ControlNet 🛂🅐🅒🅝/weights',
  required: { base_multiplier },
  optional: weightsOptional,
  outputs: weightsOutputs,
  run: ({ base_multiplier: base, uncond_multiplier }) => softWeights(base, uncond_multiplier),
});

export const timestepKeyframe = defineNode({
  name: 'TimestepKeyframe',
  displayName: 'Timestep Keyframe 🛂🅐🅒🅝',
  category: 'Adv-ControlNet 🛂🅐🅒🅝/keyframes',
  description: 'What counts from a share of sampling on.',
  required: { start_percent: float({ default: 0, min: 0, max: 1, step: 0.001 }) },
  optional: {
    prev_timestep_kf: link(TIMESTEP_KEYFRAME),
    strength: float({ default: 1, min: 0, max: 10, step: 0.001 }),
    cn_weights: link(CONTROL_NET_WEIGHTS),
    latent_keyframe: link(LATENT_KEYFRAME),
    null_latent_kf_strength: float({ default: 0, min: 0, max: 10, step: 0.001 }),
    inherit_missing: boolean({ default: true }),
    guarantee_steps: int({ default: 1, min: 0, max: Number.MAX_SAFE_INTEGER }),
    mask_optional: link('MASK'),
  },
  outputs: [{ type: TIMESTEP_KEYFRAME, name: 'TIMESTEP_KF' }],
  run(given) {
    const keyframe = {
      start: given.start_percent,
      strength: given.strength ?? 1,
      weights: given.cn_weights,
      latents: given.latent_keyframe,
      strengthOfOthers: given.null_latent_kf_strength ?? 0,
      inherits: given.inherit_missing ?? true,
      guaranteedSteps: given.guarantee_steps ?? 1,
      mask: given.mask_optional,
    };
    return { outputs: [withKeyframe(given.prev_timestep_kf ?? [ALWAYS], keyframe)] };
  },
});

export const latentKeyframe = defineNode({
  name: 'LatentKeyframe',
  displayName: 'Latent Keyframe 🛂🅐🅒🅝',
  category: 'Adv-ControlNet 🛂🅐🅒🅝/keyframes',
  description: 'How much a control counts for one latent of a batch.',
  required: {
    batch_index: int({ default: 0, min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, step: 1 }),
    strength: float({ default: 1, min: 0, max: 10, step: 0.001 }),
  },
  optional: { prev_latent_kf: link(LATENT_KEYFRAME) },
  outputs: [{ type: LATENT_KEYFRAME, name: 'LATENT_KF' }],
  run({ batch_index: index, strength, prev_latent_kf = [] }) {
    const others = prev_latent_kf.filter((keyframe) => keyframe.index !== index);
    return { outputs: [[...others, { index, strength }].sort((a, b) => a.index - b.index)] };
  },
});
