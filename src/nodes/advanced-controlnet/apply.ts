/** ControlNets applied with masks, keyframes and weights (ComfyUI-Advanced-ControlNet adv_control/nodes_main.py, nodes_deprecated.py). */
import type { ControlTiming } from '../../models/control/shaping.js';
import { rgbOf } from '../../imaging/channels.js';
import type { Tensor } from '../../compute/tensor.js';
import { tensor } from '../../compute/tensor.js';
import { appliedControl } from '../conditioning/applied-controls.js';
import { defineNode, float, link } from '../definition.js';
import type { InputValues } from '../definition.js';
import { CONTROL_NET_WEIGHTS, LATENT_KEYFRAME, TIMESTEP_KEYFRAME } from './types.js';

const share = (initial: number) => float({ default: initial, min: 0, max: 1, step: 0.001 });

const shown = {
  control_net: link('CONTROL_NET'),
  image: link('IMAGE'),
  strength: float({ default: 1, min: 0, max: 10, step: 0.01 }),
  start_percent: share(0),
  end_percent: share(1),
};

const timings = {
  mask_optional: link('MASK'),
  timestep_kf: link(TIMESTEP_KEYFRAME),
  latent_kf_override: link(LATENT_KEYFRAME),
  weights_override: link(CONTROL_NET_WEIGHTS),
};

const vae_optional = link('VAE');
const model_optional = link('MODEL');

const bothPrompts = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
] as const;

const ofBoth = {
  displayName: 'Apply Advanced ControlNet 🛂🅐🅒🅝',
  description:
    'Makes a prompt and its negative follow a picture: where, when and how much, masks, keyframes and weights say.',
  required: { positive: link('CONDITIONING'), negative: link('CONDITIONING'), ...shown },
};

const ofOne = {
  displayName: 'Apply Advanced ControlNet(1) 🛂🅐🅒🅝',
  description:
    'Makes a prompt follow a picture, and prompts that follow none: where, when and how much, masks, keyframes and weights say.',
  required: { conditioning: link('CONDITIONING'), ...shown },
};

type Shown = InputValues<typeof shown, typeof timings & { readonly vae_optional: typeof vae_optional }>;

function pictureOf({ image, vae_optional: vae }: Shown) {
  return { image: rgbOf(image), vae };
}

function steeringOf({ strength, start_percent, end_percent, ...given }: Shown) {
  const timing: ControlTiming = {
    keyframes: given.timestep_kf,
    weights: given.weights_override,
    latents: given.latent_kf_override,
    mask: given.mask_optional && batched(given.mask_optional),
  };
  return { strength, start: start_percent, end: end_percent, timing };
}

function batched(mask: Tensor): Tensor {
  return mask.shape.length === 2 ? tensor([1, ...mask.shape], mask.data) : mask;
}

export const acnApplyV2 = defineNode({
  ...ofBoth,
  name: 'ACN_AdvancedControlNetApply_v2',
  category: 'Adv-ControlNet 🛂🅐🅒🅝',
  optional: { ...timings, vae_optional },
  outputs: bothPrompts,
  run({ positive, negative, ...given }) {
    const network = given.control_net;
    const [one, other] = appliedControl([positive, negative], network, pictureOf(given), steeringOf(given));
    return { outputs: [one!, other!] };
  },
});

export const acnApply = defineNode({
  ...ofBoth,
  name: 'ACN_AdvancedControlNetApply',
  category: '',
  optional: { ...timings, model_optional, vae_optional },
  outputs: [...bothPrompts, { type: 'MODEL', name: 'model_opt' }],
  run({ positive, negative, model_optional: model, ...given }) {
    const network = given.control_net;
    const [one, other] = appliedControl([positive, negative], network, pictureOf(given), steeringOf(given));
    return { outputs: [one!, other!, model as never] };
  },
});

const onePrompt = [
  { type: 'CONDITIONING', name: 'CONDITIONING' },
  { type: 'MODEL', name: 'model_opt' },
] as const;

export const acnApplySingleV2 = defineNode({
  ...ofOne,
  name: 'ACN_AdvancedControlNetApplySingle_v2',
  category: 'Adv-ControlNet 🛂🅐🅒🅝',
  optional: { ...timings, vae_optional },
  outputs: onePrompt,
  run({ conditioning, ...given }) {
    const steering = { ...steeringOf(given), controlsOthers: true };
    const [steered] = appliedControl([conditioning], given.control_net, pictureOf(given), steering);
    return { outputs: [steered!, undefined as never] };
  },
});

export const acnApplySingle = defineNode({
  ...ofOne,
  name: 'ACN_AdvancedControlNetApplySingle',
  category: '',
  optional: { ...timings, model_optional, vae_optional },
  outputs: onePrompt,
  run({ conditioning, model_optional: model, ...given }) {
    const steering = { ...steeringOf(given), controlsOthers: true };
    const [steered] = appliedControl([conditioning], given.control_net, pictureOf(given), steering);
    return { outputs: [steered!, model as never] };
  },
});
