/** Pictures that a prompt's picture follows (ComfyUI nodes.py and comfy_extras/nodes_controlnet.py). */
import { rgbOf } from '../../imaging/channels.js';
import { combineValues, mapValues } from '../../imaging/tensor-ops.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import { withChannel } from '../../imaging/latent-channels.js';
import { UNION_KINDS } from '../../models/control/controlnet/union-kinds.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { combo, defineNode, float, link } from '../definition.js';
import { appliedControl } from './applied-controls.js';

const strengthInput = float({
  default: 1,
  min: 0,
  max: 10,
  step: 0.01,
  tooltip: 'How strongly the picture is followed.',
});

const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.001, tooltip });

const span = {
  start_percent: share(0, 'Share of sampling after which it begins to count.'),
  end_percent: share(1, 'Share of sampling after which it no longer counts.'),
};

const category = 'model/conditioning/controlnet';

export const controlNetApply = defineNode({
  name: 'ControlNetApply',
  displayName: 'Apply ControlNet (DEPRECATED)',
  category,
  description: 'Makes a prompt follow a picture, and other prompts that follow none.',
  required: {
    conditioning: link('CONDITIONING'),
    control_net: link('CONTROL_NET'),
    image: link('IMAGE', { tooltip: 'The picture as the ControlNet wants it: edges, depths, poses.' }),
    strength: strengthInput,
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, control_net, image, strength }) {
    const picture = { image: rgbOf(image) };
    const steering = { strength, start: 0, end: 1, controlsOthers: true };
    const [steered] = appliedControl([conditioning], control_net, picture, steering);
    return { outputs: [steered!] };
  },
});

const bothPrompts = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
] as const;

export const controlNetApplyAdvanced = defineNode({
  name: 'ControlNetApplyAdvanced',
  displayName: 'Apply ControlNet',
  category,
  description: 'Makes a prompt and its negative follow a picture, during a part of sampling where wanted.',
  required: {
    positive: link('CONDITIONING'),
    negative: link('CONDITIONING'),
    control_net: link('CONTROL_NET'),
    image: link('IMAGE', { tooltip: 'The picture as the ControlNet wants it: edges, depths, poses.' }),
    strength: strengthInput,
    ...span,
  },
  optional: { vae: link('VAE', { tooltip: 'For ControlNets that see latents.' }) },
  outputs: bothPrompts,
  run({ positive, negative, control_net, image, strength, start_percent, end_percent, vae }) {
    const steering = { strength, start: start_percent, end: end_percent };
    const [one, other] = appliedControl(
      [positive, negative],
      control_net,
      { image: rgbOf(image), vae },
      steering,
    );
    return { outputs: [one!, other!] };
  },
});

export const setUnionControlNetType = defineNode({
  name: 'SetUnionControlNetType',
  displayName: 'Set Union ControlNet Type',
  category,
  description: 'Tells a ControlNet for several kinds of pictures which kind it is shown.',
  required: {
    control_net: link('CONTROL_NET'),
    type: combo(['auto', ...UNION_KINDS], { tooltip: 'The kind; auto tells it nothing.' }),
  },
  optional: {},
  outputs: [{ type: 'CONTROL_NET', name: 'CONTROL_NET' }],
  run({ control_net, type }) {
    const kind = UNION_KINDS.findIndex((name) => name === type);
    return { outputs: [control_net.withKind(kind === -1 ? undefined : kind)] };
  },
});

export const controlNetInpaintingAliMamaApply = defineNode({
  name: 'ControlNetInpaintingAliMamaApply',
  displayName: 'Apply ControlNet Inpainting (AliMama)',
  category,
  description: 'Makes a prompt fill the masked part of a picture, with a ControlNet that sees the mask.',
  required: {
    positive: link('CONDITIONING'),
    negative: link('CONDITIONING'),
    control_net: link('CONTROL_NET'),
    vae: link('VAE'),
    image: link('IMAGE'),
    mask: link('MASK', { tooltip: '1 where the picture is to be filled.' }),
    strength: strengthInput,
    ...span,
  },
  optional: {},
  outputs: bothPrompts,
  run({ positive, negative, control_net, vae, image, mask, strength, start_percent, end_percent }) {
    const picture = control_net.takesMask
      ? { ...maskedOut(rgbOf(image), mask), vae }
      : { image: rgbOf(image), vae };
    const steering = { strength, start: start_percent, end: end_percent };
    const [one, other] = appliedControl([positive, negative], control_net, picture, steering);
    return { outputs: [one!, other!] };
  },
});

/** The picture black where it is to be filled, and what is kept of it, N×H×W. */
function maskedOut(image: Tensor, mask: Tensor): { readonly image: Tensor; readonly mask: Tensor } {
  const [, height = 1, width = 1, channels = 1] = image.shape;
  const kept = mapValues(mask, (value) => 1 - value);
  const fitted = upscaleLatent(withChannel(kept), 'bilinear', { height, width, crop: 'center' });
  const [rows = 1] = fitted.shape;
  const shares = tensor([rows, height, width, channels]);
  shares.data.forEach((_, at) => {
    shares.data[at] = roundHalfEven(fitted.data[Math.floor(at / channels)]!);
  });
  return { image: combineValues(image, shares, (value, isKept) => value * isKept), mask: kept };
}
