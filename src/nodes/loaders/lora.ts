/** Low-rank changes to models, stacked in the order of the nodes (ComfyUI nodes.py, LoraLoader). */
import { applyLoraFile } from '../files/apply-lora-file.js';
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode, float, link } from '../definition.js';

const loraName = combo((folders) => folders.list('loras'), { tooltip: 'The LoRA to apply.' });

const strength = (of: string) =>
  float({
    default: 1,
    min: -100,
    max: 100,
    step: 0.01,
    tooltip: `How strongly it changes ${of}; negative ones turn it around.`,
  });

export const loraLoader = defineNode({
  name: 'LoraLoader',
  displayName: 'Load LoRA (Model and CLIP)',
  category: 'model/loaders',
  description: 'Applies a LoRA to a diffusion model and its text encoders. Several can be chained.',
  required: {
    model: link('MODEL', { tooltip: 'The diffusion model to change.' }),
    clip: link('CLIP', { tooltip: 'The text encoders to change.' }),
    lora_name: loraName,
    strength_model: strength('the diffusion model'),
    strength_clip: strength('the text encoders'),
  },
  optional: {},
  outputs: [
    { type: 'MODEL', name: 'MODEL', tooltip: 'The changed diffusion model.' },
    { type: 'CLIP', name: 'CLIP', tooltip: 'The changed text encoders.' },
  ],
  fingerprint: ({ lora_name }, folders) => modelFingerprint(folders, 'loras', lora_name),
  run({ model, clip, lora_name, strength_model, strength_clip }, context) {
    const strengths = { model: strength_model, clip: strength_clip };
    const changed = applyLoraFile({ model, clip }, lora_name, strengths, context);
    return { outputs: [changed.model, changed.clip] };
  },
});

export const loraLoaderModelOnly = defineNode({
  name: 'LoraLoaderModelOnly',
  displayName: 'Load LoRA',
  category: 'model/loaders',
  description: 'Applies a LoRA to a diffusion model alone.',
  required: { model: link('MODEL'), lora_name: loraName, strength_model: strength('the diffusion model') },
  optional: {},
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  fingerprint: ({ lora_name }, folders) => modelFingerprint(folders, 'loras', lora_name),
  run({ model, lora_name, strength_model }, context) {
    const changed = applyLoraFile(
      { model, clip: undefined },
      lora_name,
      { model: strength_model, clip: 0 },
      context,
    );
    return { outputs: [changed.model] };
  },
});

export const loraLoaderBypassModelOnly = defineNode({
  name: 'LoraLoaderBypassModelOnly',
  displayName: 'Load LoRA (Bypass, Model Only) (for debugging)',
  category: 'model/loaders',
  description: 'LoraLoaderModelOnly: whether a LoRA lies in weights or beside them makes no difference here.',
  required: { model: link('MODEL'), lora_name: loraName, strength_model: strength('the diffusion model') },
  optional: {},
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  fingerprint: ({ lora_name }, folders) => modelFingerprint(folders, 'loras', lora_name),
  run: (inputs, context) => loraLoaderModelOnly.run(inputs, context),
});
