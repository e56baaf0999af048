/** Loading models by name. Opening a file reads its header only; weights come when a part first runs. */
import { tinyFilmFile, tinyFilmNames, tinyVaeFiles, tinyVaeNames } from '../../models/vae/tiny-files.js';
import { fileFingerprint, modelFingerprint } from '../files/model-files.js';
import { combo, defineNode } from '../definition.js';

export const checkpointLoaderSimple = defineNode({
  name: 'CheckpointLoaderSimple',
  displayName: 'Load Checkpoint',
  category: 'model/loaders',
  description: 'Loads a checkpoint: the diffusion model with its text encoders and its VAE.',
  required: {
    ckpt_name: combo((folders) => folders.list('checkpoints'), { tooltip: 'The checkpoint to load.' }),
  },
  optional: {},
  outputs: [
    { type: 'MODEL', name: 'MODEL', tooltip: 'The model that denoises latents.' },
    { type: 'CLIP', name: 'CLIP', tooltip: 'The text encoders for prompts.' },
    { type: 'VAE', name: 'VAE', tooltip: 'The autoencoder between images and latents.' },
  ],
  fingerprint: ({ ckpt_name }, folders) => modelFingerprint(folders, 'checkpoints', ckpt_name),
  run({ ckpt_name }, { folders, models }) {
    const { model, clip, vae } = models.checkpoint(folders.resolve('checkpoints', ckpt_name));
    return { outputs: [model, clip, vae] };
  },
});

export const vaeLoader = defineNode({
  name: 'VAELoader',
  displayName: 'Load VAE',
  category: 'model/loaders',
  description:
    'Loads a VAE that is kept apart from a checkpoint, or a tiny one: taesd, taesdxl, taesd3, taef1, taef2, those of films.',
  required: {
    vae_name: combo(
      (folders) => [...folders.list('vae'), ...tinyFilmNames(folders), ...tinyVaeNames(folders)],
      {
        tooltip: 'The VAE to load.',
      },
    ),
  },
  optional: {},
  outputs: [{ type: 'VAE', name: 'VAE' }],
  fingerprint({ vae_name }, folders) {
    const tiny = tinyVaeFiles(folders, vae_name);
    const film = tinyFilmFile(folders, vae_name);
    if (film !== undefined) return fileFingerprint(film);
    if (tiny === undefined) return modelFingerprint(folders, 'vae', vae_name);
    return [tiny.encoder, tiny.decoder].map(fileFingerprint).join(' ');
  },
  run({ vae_name }, { folders, models }) {
    const tiny = tinyVaeFiles(folders, vae_name) ?? tinyFilmFile(folders, vae_name);
    return { outputs: [models.vae(tiny ?? folders.resolve('vae', vae_name))] };
  },
});
