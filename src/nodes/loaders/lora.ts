/** Low-rank changes to models, stacked in the order of the nodes (ComfyUI nodes.py, LoraLoader). */
import { applyLora } from '../../models/lora/apply-lora.js';
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
  run({ model, clip, lora_name, strength_model, strength_clip }, { folders, models, warn }) {
    if (strength_model === 0 && strength_clip === 0) return { outputs: [model, clip] };
    const weights = models.weights(folders.resolve('loras', lora_name));
    const strengths = { model: strength_model, clip: strength_clip };
    const applied = applyLora(lora_name, weights, { model, clip }, strengths);
    for (const text of applied.warnings) warn(text);
    return { outputs: [applied.model, applied.clip] };
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
  run({ model, lora_name, strength_model }, { folders, models, warn }) {
    if (strength_model === 0) return { outputs: [model] };
    const weights = models.weights(folders.resolve('loras', lora_name));
    const applied = applyLora(lora_name, weights, { model }, { model: strength_model, clip: 0 });
    for (const text of applied.warnings) warn(text);
    return { outputs: [applied.model] };
  },
});
