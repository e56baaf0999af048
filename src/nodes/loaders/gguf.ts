/** Loaders of `.gguf` files (city96/ComfyUI-GGUF nodes.py). ComfyUI's own loaders take such files here, too. */
import { extname } from 'node:path';
import type { Folders } from '../../models/folders/folders.js';
import { modelFingerprint } from '../files/model-files.js';
import { boolean, combo, defineNode } from '../definition.js';
import { dualTypes, fingerprints, loadTextEncoders, singleTypes } from './text-encoder-files.js';

const category = 'bootleg';
const model = [{ type: 'MODEL', name: 'MODEL' }] as const;
const clip = [{ type: 'CLIP', name: 'CLIP' }] as const;

const unetName = combo(
  (folders) => folders.list('diffusion_models').filter((name) => extname(name).toLowerCase() === '.gguf'),
  { tooltip: 'The diffusion model to load.' },
);
const file = combo((folders) => folders.list('text_encoders'), { tooltip: 'A text encoder.' });

const unetFingerprint = ({ unet_name }: { readonly unet_name: string }, folders: Folders): string =>
  modelFingerprint(folders, 'diffusion_models', unet_name);

export const unetLoaderGguf = defineNode({
  name: 'UnetLoaderGGUF',
  displayName: 'Unet Loader (GGUF)',
  category,
  description: 'Loads a diffusion model from a GGUF file.',
  required: { unet_name: unetName },
  optional: {},
  outputs: model,
  fingerprint: unetFingerprint,
  run: ({ unet_name }, { folders, models }) => ({
    outputs: [models.diffusionModel(folders.resolve('diffusion_models', unet_name))],
  }),
});

const types = ['default', 'target', 'float32', 'float16', 'bfloat16'] as const;

export const unetLoaderGgufAdvanced = defineNode({
  name: 'UnetLoaderGGUFAdvanced',
  displayName: 'Unet Loader (GGUF/Advanced)',
  category,
  description: 'The same, with a say in how exactly the blocks of the file are read.',
  required: {
    unet_name: unetName,
    dequant_dtype: combo(types, {
      default: 'default',
      tooltip: 'What products of scale and number are rounded to: float16 by default, float32 with target.',
    }),
    patch_dtype: combo(types, {
      default: 'default',
      tooltip: 'LoRAs are added in float32, whatever is chosen.',
    }),
    patch_on_device: boolean({ default: false, tooltip: 'Without effect here.' }),
  },
  optional: {},
  outputs: model,
  fingerprint: unetFingerprint,
  run({ unet_name, dequant_dtype }, { folders, models }) {
    if (dequant_dtype === 'bfloat16') {
      throw new RangeError('dequant_dtype bfloat16 is not supported; take float16 or float32');
    }
    const ggufProducts = dequant_dtype === 'float32' || dequant_dtype === 'target' ? 'float32' : 'float16';
    return {
      outputs: [models.diffusionModel(folders.resolve('diffusion_models', unet_name), { ggufProducts })],
    };
  },
});

export const clipLoaderGguf = defineNode({
  name: 'CLIPLoaderGGUF',
  displayName: 'CLIPLoader (GGUF)',
  category,
  description: 'Loads a text encoder from a GGUF file, or another.',
  required: { clip_name: file, type: combo(singleTypes, { tooltip: 'The family that it encodes for.' }) },
  optional: {},
  outputs: clip,
  fingerprint: ({ clip_name }, folders) => fingerprints(folders, [clip_name]),
  run: ({ clip_name, type }, context) => ({ outputs: [loadTextEncoders(context, [clip_name], type)] }),
});

export const dualClipLoaderGguf = defineNode({
  name: 'DualCLIPLoaderGGUF',
  displayName: 'DualCLIPLoader (GGUF)',
  category,
  description: 'Loads two text encoders that a family uses together, from GGUF files or others.',
  required: {
    clip_name1: file,
    clip_name2: file,
    type: combo(dualTypes, { tooltip: 'The family that they encode for.' }),
  },
  optional: {},
  outputs: clip,
  fingerprint: ({ clip_name1, clip_name2 }, folders) => fingerprints(folders, [clip_name1, clip_name2]),
  run: ({ clip_name1, clip_name2, type }, context) => ({
    outputs: [loadTextEncoders(context, [clip_name1, clip_name2], type)],
  }),
});

export const tripleClipLoaderGguf = defineNode({
  name: 'TripleCLIPLoaderGGUF',
  displayName: 'TripleCLIPLoader (GGUF)',
  category,
  description: 'Loads the three text encoders of SD3, from GGUF files or others.',
  required: { clip_name1: file, clip_name2: file, clip_name3: file },
  optional: {},
  outputs: clip,
  fingerprint: (names, folders) => fingerprints(folders, Object.values(names)),
  run: (names, context) => ({ outputs: [loadTextEncoders(context, Object.values(names), 'sd3')] }),
});

export const quadrupleClipLoaderGguf = defineNode({
  name: 'QuadrupleCLIPLoaderGGUF',
  displayName: 'QuadrupleCLIPLoader (GGUF)',
  category,
  description: 'Loads the four text encoders of HiDream, from GGUF files or others.',
  required: { clip_name1: file, clip_name2: file, clip_name3: file, clip_name4: file },
  optional: {},
  outputs: clip,
  fingerprint: (names, folders) => fingerprints(folders, Object.values(names)),
  run: (names, context) => ({
    outputs: [loadTextEncoders(context, Object.values(names), 'stable_diffusion')],
  }),
});
