/** The loader of 2023 (ComfyUI nodes.py, CheckpointLoader, and comfy/sd.py, load_checkpoint). */
import { discreteSampling } from '../../models/denoiser/model-sampling.js';
import { modelFingerprint } from '../files/model-files.js';
import { combo, defineNode } from '../definition.js';

/** What ComfyUI's models/configs say that a checkpoint doesn't: the layer that prompts are taken from, and that it predicts velocity. */
const configs: Readonly<Record<string, { readonly stopAtLayer?: number; readonly predictsVelocity?: true }>> =
  {
    'anything_v3.yaml': { stopAtLayer: -2 },
    'v1-inference.yaml': {},
    'v1-inference_clip_skip_2.yaml': { stopAtLayer: -2 },
    'v1-inference_clip_skip_2_fp16.yaml': { stopAtLayer: -2 },
    'v1-inference_fp16.yaml': {},
    'v1-inpainting-inference.yaml': {},
    'v2-inference-v.yaml': { predictsVelocity: true },
    'v2-inference-v_fp32.yaml': { predictsVelocity: true },
    'v2-inference.yaml': {},
    'v2-inference_fp32.yaml': {},
    'v2-inpainting-inference.yaml': {},
  };

export const checkpointLoader = defineNode({
  name: 'CheckpointLoader',
  displayName: 'Load Checkpoint With Config (DEPRECATED)',
  category: 'model/loaders',
  description: 'Loads a checkpoint, told by hand what it predicts and which layer prompts are taken from.',
  required: {
    config_name: combo(Object.keys(configs), { tooltip: "One of ComfyUI's configurations." }),
    ckpt_name: combo((folders) => folders.list('checkpoints'), { tooltip: 'The checkpoint to load.' }),
  },
  optional: {},
  outputs: [
    { type: 'MODEL', name: 'MODEL' },
    { type: 'CLIP', name: 'CLIP' },
    { type: 'VAE', name: 'VAE' },
  ],
  fingerprint: ({ ckpt_name }, folders) => modelFingerprint(folders, 'checkpoints', ckpt_name),
  run({ config_name, ckpt_name }, { folders, models }) {
    const { model, clip, vae } = models.checkpoint(folders.resolve('checkpoints', ckpt_name));
    const { stopAtLayer, predictsVelocity } = configs[config_name]!;
    return {
      outputs: [
        predictsVelocity === true ? model.withSampling(discreteSampling('v_prediction')) : model,
        stopAtLayer === undefined ? clip : clip.withLayer(stopAtLayer),
        vae,
      ],
    };
  },
});
