/** Text encoders from files of their own (ComfyUI nodes.py, comfy_extras/nodes_sd3.py and nodes_hidream.py). */
import { combo, defineNode } from '../definition.js';
import { dualTypes, fingerprints, loadTextEncoders, singleTypes } from './text-encoder-files.js';

const files = (tooltip: string) => combo((folders) => folders.list('text_encoders'), { tooltip });
const device = combo(['default', 'cpu'], {
  tooltip: 'Where ComfyUI would encode; here encoders run where models do.',
});
const clip = [{ type: 'CLIP', name: 'CLIP', tooltip: 'The text encoders for prompts.' }] as const;

export const clipLoader = defineNode({
  name: 'CLIPLoader',
  displayName: 'Load CLIP',
  category: 'model/loaders',
  description: 'Loads a text encoder: which one it is, its file says; how it is used, the type.',
  required: {
    clip_name: files('The text encoder to load.'),
    type: combo(singleTypes, { tooltip: 'The family that it encodes for.' }),
  },
  optional: { device },
  outputs: clip,
  fingerprint: ({ clip_name }, folders) => fingerprints(folders, [clip_name]),
  run: ({ clip_name, type }, context) => ({ outputs: [loadTextEncoders(context, [clip_name], type)] }),
});

export const dualClipLoader = defineNode({
  name: 'DualCLIPLoader',
  displayName: 'Load CLIP (Dual)',
  category: 'model/loaders',
  description: 'Loads two text encoders that a family uses together, in either order.',
  required: {
    clip_name1: files('A text encoder.'),
    clip_name2: files('The other one.'),
    type: combo(dualTypes, { tooltip: 'The family that they encode for.' }),
  },
  optional: { device },
  outputs: clip,
  fingerprint: ({ clip_name1, clip_name2 }, folders) => fingerprints(folders, [clip_name1, clip_name2]),
  run: ({ clip_name1, clip_name2, type }, context) => ({
    outputs: [loadTextEncoders(context, [clip_name1, clip_name2], type)],
  }),
});

export const tripleClipLoader = defineNode({
  name: 'TripleCLIPLoader',
  displayName: 'Load CLIP (Triple)',
  category: 'model/loaders',
  description: 'Loads the three text encoders of SD3: CLIP-L, OpenCLIP bigG and T5, in any order.',
  required: {
    clip_name1: files('A text encoder.'),
    clip_name2: files('Another one.'),
    clip_name3: files('The third one.'),
  },
  optional: {},
  outputs: clip,
  fingerprint: ({ clip_name1, clip_name2, clip_name3 }, folders) =>
    fingerprints(folders, [clip_name1, clip_name2, clip_name3]),
  run: ({ clip_name1, clip_name2, clip_name3 }, context) => ({
    outputs: [loadTextEncoders(context, [clip_name1, clip_name2, clip_name3], 'stable_diffusion')],
  }),
});

export const quadrupleClipLoader = defineNode({
  name: 'QuadrupleCLIPLoader',
  displayName: 'Load CLIP (Quadruple)',
  category: 'model/loaders',
  description:
    'Loads the four text encoders of HiDream: CLIP-L, OpenCLIP bigG, T5 and Llama 3, in any order.',
  required: {
    clip_name1: files('A text encoder.'),
    clip_name2: files('Another one.'),
    clip_name3: files('The third one.'),
    clip_name4: files('The fourth one.'),
  },
  optional: {},
  outputs: clip,
  fingerprint: ({ clip_name1, clip_name2, clip_name3, clip_name4 }, folders) =>
    fingerprints(folders, [clip_name1, clip_name2, clip_name3, clip_name4]),
  run: ({ clip_name1, clip_name2, clip_name3, clip_name4 }, context) => ({
    outputs: [
      loadTextEncoders(context, [clip_name1, clip_name2, clip_name3, clip_name4], 'stable_diffusion'),
    ],
  }),
});
