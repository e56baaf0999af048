/** Loading what makes parts of prompts of pictures (ComfyUI nodes.py, CLIPVisionLoader, StyleModelLoader, unCLIPCheckpointLoader). */
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode } from '../definition.js';

export const clipVisionLoader = defineNode({
  name: 'CLIPVisionLoader',
  displayName: 'Load CLIP Vision',
  category: 'model/loaders',
  description: 'Loads an image encoder: CLIP L, H or bigG, or SigLIP.',
  required: {
    clip_name: combo((folders) => folders.list('clip_vision'), { tooltip: 'The image encoder to load.' }),
  },
  optional: {},
  outputs: [{ type: 'CLIP_VISION', name: 'CLIP_VISION' }],
  fingerprint: ({ clip_name }, folders) => modelFingerprint(folders, 'clip_vision', clip_name),
  run({ clip_name }, { folders, models }) {
    return { outputs: [models.imageEncoder(folders.resolve('clip_vision', clip_name))] };
  },
});

export const styleModelLoader = defineNode({
  name: 'StyleModelLoader',
  displayName: 'Load Style Model',
  category: 'model/loaders',
  description: 'Loads a style model: T2I’s style adapter, or Flux Redux.',
  required: {
    style_model_name: combo((folders) => folders.list('style_models'), {
      tooltip: 'The style model to load.',
    }),
  },
  optional: {},
  outputs: [{ type: 'STYLE_MODEL', name: 'STYLE_MODEL' }],
  fingerprint: ({ style_model_name }, folders) => modelFingerprint(folders, 'style_models', style_model_name),
  run({ style_model_name }, { folders, models }) {
    return { outputs: [models.style(folders.resolve('style_models', style_model_name))] };
  },
});

export const unclipCheckpointLoader = defineNode({
  name: 'unCLIPCheckpointLoader',
  displayName: 'Load unCLIP Checkpoint',
  category: 'model/loaders',
  description:
    'Loads an unCLIP checkpoint: model, text encoder, VAE, and the image encoder that it was made with.',
  required: {
    ckpt_name: combo((folders) => folders.list('checkpoints'), { tooltip: 'The checkpoint to load.' }),
  },
  optional: {},
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'CLIP', name: 'CLIP' },
    { type: 'VAE', name: 'VAE' },
    { type: 'CLIP_VISION', name: 'CLIP_VISION' },
  ],
  fingerprint: ({ ckpt_name }, folders) => modelFingerprint(folders, 'checkpoints', ckpt_name),
  run({ ckpt_name }, { folders, models }) {
    const path = folders.resolve('checkpoints', ckpt_name);
    const { model, clip, vae, imageEncoder } = models.checkpoint(path);
    if (imageEncoder === undefined) {
      throw new RangeError(
        `${ckpt_name} holds no image encoder, as unCLIP checkpoints do: load it with CheckpointLoaderSimple, and an image encoder with CLIPVisionLoader`,
      );
    }
    return { outputs: [model, clip, vae, imageEncoder] };
  },
});
