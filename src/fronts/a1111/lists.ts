/** What there is, as A1111 lists it. */
import { freemem, totalmem } from 'node:os';
import type { Folders } from '../../models/folders/folders.js';
import { baseName, modelName } from './house.js';
import { SAMPLERS, SCHEDULERS } from './samplers.js';
import { LATENT_MODES, PLAIN_UPSCALERS } from './upscalers.js';

/** By the path behind `/sdapi/v1/`. */
export const LISTS: Readonly<Record<string, (folders: Folders) => unknown>> = {
  'sd-models': (folders) =>
    folders.list('checkpoints').map((file) => ({
      // A hash would have every checkpoint read; A1111 has none either until it loads one.
      title: file,
      model_name: modelName(file),
      hash: null,
      sha256: null,
      filename: folders.resolve('checkpoints', file),
      config: null,
    })),
  'sd-vae': (folders) =>
    folders.list('vae').map((file) => ({ model_name: file, filename: folders.resolve('vae', file) })),
  samplers: () => SAMPLERS.map(({ name, aliases, options }) => ({ name, aliases, options })),
  schedulers: () =>
    SCHEDULERS.map(({ name, label, aliases, default_rho, need_inner_model }) => ({
      name,
      label,
      aliases,
      default_rho,
      need_inner_model,
    })),
  upscalers: (folders) => [
    ...PLAIN_UPSCALERS.map((name) => ({
      name,
      model_name: null,
      model_path: null,
      model_url: null,
      scale: name === 'None' ? 1 : 4,
    })),
    ...folders.list('upscale_models').map((file) => ({
      name: baseName(file),
      model_name: baseName(file),
      model_path: folders.resolve('upscale_models', file),
      model_url: null,
      scale: scaleOf(file),
    })),
  ],
  'latent-upscale-modes': () => Object.keys(LATENT_MODES).map((name) => ({ name })),
  loras: (folders) =>
    folders.list('loras').map((file) => ({
      name: baseName(file),
      alias: baseName(file),
      path: folders.resolve('loras', file),
      metadata: {},
    })),
  embeddings: (folders) => ({
    loaded: Object.fromEntries(
      folders
        .list('embeddings')
        .map((file) => [
          baseName(file),
          { step: null, sd_checkpoint: null, sd_checkpoint_name: null, shape: 0, vectors: 0 },
        ]),
    ),
    skipped: {},
  }),
  hypernetworks: () => [],
  'face-restorers': (folders) =>
    ['CodeFormer', 'GFPGAN'].map((name) => ({
      name,
      cmd_dir:
        folders.list('facerestore_models').find((file) => file.toLowerCase().includes(name.toLowerCase())) ??
        null,
    })),
  'realesrgan-models': (folders) =>
    folders
      .list('upscale_models')
      .filter((file) => /real-?esrgan/i.test(file))
      .map((file) => ({
        name: baseName(file),
        path: folders.resolve('upscale_models', file),
        scale: scaleOf(file),
      })),
  'prompt-styles': () => [],
  scripts: () => ({ txt2img: [], img2img: [] }),
  'script-info': () => [],
  extensions: () => [],
  'cmd-flags': () => ({ api: true, nowebui: true }),
  memory: () => ({
    ram: { free: freemem(), used: totalmem() - freemem(), total: totalmem() },
    cuda: { error: 'unavailable' },
  }),
};

/** What names of upscalers say: `4x-UltraSharp`, `RealESRGAN_x2plus`. A1111 guesses 4 as well. */
function scaleOf(file: string): number {
  const [, before, after] = /(?:^|[^a-z\d])(?:(\d)x|x(\d))/i.exec(baseName(file)) ?? [];
  return Number(before ?? after ?? 4);
}
