/** ControlNets with keyframes of their own (ComfyUI-Advanced-ControlNet adv_control/nodes_main.py, nodes_deprecated.py). */
import { withKeyframes } from '../../models/control/shaping.js';
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode, link } from '../definition.js';
import { TIMESTEP_KEYFRAME } from './types.js';

const file = combo((folders) => folders.list('controlnet'));
const outputs = [{ type: 'CONTROL_NET', name: 'CONTROL_NET' }] as const;
const described = {
  displayName: 'Load Advanced ControlNet Model 🛂🅐🅒🅝',
  description: 'Loads a ControlNet, a control LoRA or a T2I-Adapter, with keyframes where linked.',
};

export const controlNetLoaderAdvanced = defineNode({
  ...described,
  name: 'ControlNetLoaderAdvanced',
  category: '',
  required: { control_net_name: file },
  optional: { tk_optional: link(TIMESTEP_KEYFRAME) },
  outputs,
  fingerprint: ({ control_net_name }, folders) => modelFingerprint(folders, 'controlnet', control_net_name),
  run({ control_net_name, tk_optional }, { folders, models }) {
    const network = models.control(folders.resolve('controlnet', control_net_name));
    return { outputs: [withKeyframes(network, tk_optional)] };
  },
});

export const acnControlNetLoaderAdvanced = defineNode({
  ...described,
  name: 'ACN_ControlNetLoaderAdvanced',
  category: 'Adv-ControlNet 🛂🅐🅒🅝',
  required: { cnet: file },
  optional: { _tk_opt: link(TIMESTEP_KEYFRAME) },
  outputs,
  fingerprint: ({ cnet }, folders) => modelFingerprint(folders, 'controlnet', cnet),
  run({ cnet, _tk_opt }, { folders, models }) {
    return { outputs: [withKeyframes(models.control(folders.resolve('controlnet', cnet)), _tk_opt)] };
  },
});

export const diffControlNetLoaderAdvanced = defineNode({
  name: 'DiffControlNetLoaderAdvanced',
  displayName: 'Load Advanced ControlNet Model (diff) 🛂🅐🅒🅝',
  category: '',
  description:
    "Loads a ControlNet whose file holds differences to a model's weights, with keyframes where linked.",
  required: { model: link('MODEL'), control_net_name: file },
  optional: { tk_optional: link(TIMESTEP_KEYFRAME) },
  outputs,
  fingerprint: ({ control_net_name }, folders) => modelFingerprint(folders, 'controlnet', control_net_name),
  run({ model, control_net_name, tk_optional }, { folders, models }) {
    const network = models.control(folders.resolve('controlnet', control_net_name), model);
    return { outputs: [withKeyframes(network, tk_optional)] };
  },
});
