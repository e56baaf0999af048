/** Loading what steers a denoiser by a picture (ComfyUI nodes.py, ControlNetLoader and DiffControlNetLoader). */
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode, link } from '../definition.js';

const controlNetName = combo((folders) => folders.list('controlnet'), {
  tooltip: 'A ControlNet, control LoRA or T2I-Adapter.',
});

export const controlNetLoader = defineNode({
  name: 'ControlNetLoader',
  displayName: 'Load ControlNet Model',
  category: 'model/loaders',
  description: 'Loads a ControlNet, a control LoRA or a T2I-Adapter: what makes a model follow a picture.',
  required: { control_net_name: controlNetName },
  optional: {},
  outputs: [{ type: 'CONTROL_NET', name: 'CONTROL_NET' }],
  fingerprint: ({ control_net_name }, folders) => modelFingerprint(folders, 'controlnet', control_net_name),
  run({ control_net_name }, { folders, models }) {
    return { outputs: [models.control(folders.resolve('controlnet', control_net_name))] };
  },
});

export const diffControlNetLoader = defineNode({
  name: 'DiffControlNetLoader',
  displayName: 'Load ControlNet Model (diff)',
  category: 'model/loaders',
  description: "Loads a ControlNet whose file holds differences to a model's weights.",
  required: {
    model: link('MODEL', { tooltip: 'The model that the differences are to.' }),
    control_net_name: controlNetName,
  },
  optional: {},
  outputs: [{ type: 'CONTROL_NET', name: 'CONTROL_NET' }],
  fingerprint: ({ control_net_name }, folders) => modelFingerprint(folders, 'controlnet', control_net_name),
  run({ model, control_net_name }, { folders, models }) {
    return { outputs: [models.control(folders.resolve('controlnet', control_net_name), model)] };
  },
});
