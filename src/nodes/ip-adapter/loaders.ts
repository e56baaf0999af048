/** Loading IP-Adapters (github cubiq/ComfyUI_IPAdapter_plus). */
import type { DiffusionModel } from '../../models/denoiser/diffusion-model.js';
import type { Folders } from '../../models/folders/folders.js';
import { fileFingerprint, modelFingerprint } from '../files/model-files.js';
import { combo, defineNode, float, link } from '../definition.js';
import { findFile, PRESETS, type Preset, type PresetFiles } from './presets.js';

export const ipAdapterModelLoader = defineNode({
  name: 'IPAdapterModelLoader',
  displayName: 'IPAdapter Model Loader',
  category: 'ipadapter/loaders',
  description: 'Loads an IP-Adapter: what lets a model see pictures beside its prompt.',
  required: {
    ipadapter_file: combo((folders) => folders.list('ipadapter'), { tooltip: 'The IP-Adapter to load.' }),
  },
  optional: {},
  outputs: [{ type: 'IPADAPTER', name: 'IPADAPTER' }],
  fingerprint: ({ ipadapter_file }, folders) => modelFingerprint(folders, 'ipadapter', ipadapter_file),
  run({ ipadapter_file }, { folders, models }) {
    return { outputs: [{ adapter: models.ipAdapter(folders.resolve('ipadapter', ipadapter_file)) }] };
  },
});

function filesOf(preset: Preset, model: DiffusionModel, folders: Folders): PresetFiles {
  // A label embedding tells SDXL from SD 1.x.
  const isSdxl = model.inputs.some(({ name }) => name === 'adm');
  return findFile(preset, isSdxl ? 'sdxl' : 'sd15', folders);
}

const unified = (name: string, displayName: string, category: string, presets: readonly Preset[]) =>
  defineNode({
    name,
    displayName,
    category,
    description:
      'Finds an IP-Adapter for the model, and its image encoder, by the names that they are given out under.',
    required: {
      model: link('MODEL', { tooltip: 'The model that will see pictures.' }),
      preset: combo(presets, { tooltip: 'Which kind of IP-Adapter.' }),
    },
    optional: { ipadapter: link('IPADAPTER', { tooltip: 'One that is loaded already.' }) },
    outputs: [
      { type: 'MODEL', name: 'model' },
      { type: 'IPADAPTER', name: 'ipadapter' },
    ],
    fingerprint(_, folders) {
      const names = folders
        .list('ipadapter')
        .map((file) => fileFingerprint(folders.resolve('ipadapter', file)));
      return names.join('\n');
    },
    run({ model, preset }, { folders, models }) {
      const { adapter, encoder } = filesOf(preset, model, folders);
      const ipadapter = { adapter: models.ipAdapter(adapter), encoder: models.imageEncoder(encoder) };
      return { outputs: [model, ipadapter] };
    },
  });

export const ipAdapterUnifiedLoader = unified(
  'IPAdapterUnifiedLoader',
  'IPAdapter Unified Loader',
  'ipadapter',
  PRESETS.usual,
);

export const ipAdapterUnifiedLoaderCommunity = unified(
  'IPAdapterUnifiedLoaderCommunity',
  'IPAdapter Unified Loader Community',
  'ipadapter/loaders',
  PRESETS.community,
);

const noFaces = () => {
  throw new RangeError(
    'FaceID needs the face embedder of InsightFace (models/insightface/models/buffalo_l: det_10g.onnx and w600k_r50.onnx) and isn’t supported yet: the presets PLUS FACE and FULL FACE of IPAdapterUnifiedLoader do without it',
  );
};

export const ipAdapterUnifiedLoaderFaceId = defineNode({
  name: 'IPAdapterUnifiedLoaderFaceID',
  displayName: 'IPAdapter Unified Loader FaceID',
  category: 'ipadapter/faceid',
  description: 'Not supported: FaceID needs a face embedder. It says which.',
  required: {
    model: link('MODEL'),
    preset: combo(PRESETS.faces, { tooltip: 'Which kind of FaceID adapter.' }),
    lora_strength: float({ default: 0.6, min: 0, max: 1, step: 0.01, tooltip: 'Of the LoRA beside it.' }),
    provider: combo(['CPU', 'CUDA', 'ROCM', 'DirectML', 'OpenVINO', 'CoreML'], {
      tooltip: 'Where the embedder runs.',
    }),
  },
  optional: { ipadapter: link('IPADAPTER') },
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'IPADAPTER', name: 'ipadapter' },
  ],
  run: noFaces,
});

export const ipAdapterInsightFaceLoader = defineNode({
  name: 'IPAdapterInsightFaceLoader',
  displayName: 'IPAdapter InsightFace Loader',
  category: 'ipadapter/loaders',
  description: 'Not supported: FaceID needs a face embedder. It says which.',
  required: {
    provider: combo(['CPU', 'CUDA', 'ROCM'], { tooltip: 'Where the embedder runs.' }),
    model_name: combo(['buffalo_l', 'antelopev2'], { tooltip: 'Which embedder.' }),
  },
  optional: {},
  outputs: [{ type: 'INSIGHTFACE', name: 'INSIGHTFACE' }],
  run: noFaces,
});
