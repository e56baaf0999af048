/** What a model was trained on, told by hand (ComfyUI comfy_extras/nodes_model_advanced.py). */
import { playgroundLatent } from '../../models/denoiser/latent-formats.js';
import {
  continuousEdmSampling,
  continuousVSampling,
  cosmosFlowSampling,
  discreteSampling,
  type Prediction,
} from '../../models/denoiser/model-sampling.js';
import { boolean, combo, defineNode, float, link } from '../definition.js';

const category = 'model/patch';
const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;

const sigma = (value: number, tooltip: string) =>
  float({ default: value, min: 0, max: 1000, step: 0.001, round: false, tooltip });

const predictions = {
  eps: 'epsilon',
  v_prediction: 'v_prediction',
  lcm: 'lcm',
  x0: 'x0',
  img_to_img: 'image',
  img_to_img_flow: 'image_flow',
} as const satisfies Readonly<Record<string, Prediction>>;

export const modelSamplingDiscrete = defineNode({
  name: 'ModelSamplingDiscrete',
  displayName: 'ModelSamplingDiscrete',
  category,
  description: 'Says what a model of 1000 timesteps predicts, where its file does not.',
  required: {
    model,
    sampling: combo(['eps', 'v_prediction', 'lcm', 'x0', 'img_to_img', 'img_to_img_flow'], {
      tooltip:
        "What it predicts: noise, velocity, noise of a consistency model's 50 timesteps, or the latent.",
    }),
    zsnr: boolean({
      default: false,
      tooltip: 'It was trained with pure noise at its last timestep (zero terminal signal-to-noise ratio).',
    }),
  },
  optional: {},
  outputs,
  run({ model: own, sampling, zsnr: zeroTerminalSnr }) {
    const options = { zeroTerminalSnr, distilled: sampling === 'lcm' };
    return { outputs: [own.withSampling(discreteSampling(predictions[sampling], options))] };
  },
});

export const modelSamplingContinuousEdm = defineNode({
  name: 'ModelSamplingContinuousEDM',
  displayName: 'ModelSamplingContinuousEDM',
  category,
  description: 'Says what a model of continuous noise levels predicts, and which levels it knows.',
  required: {
    model,
    sampling: combo(['v_prediction', 'edm', 'edm_playground_v2.5', 'eps', 'cosmos_rflow'], {
      tooltip: "What it predicts; Playground's kind has a latent format of its own, too.",
    }),
    sigma_max: sigma(120, 'The highest noise level.'),
    sigma_min: sigma(0.002, 'The lowest noise level.'),
  },
  optional: {},
  outputs,
  run({ model: own, sampling, sigma_max: sigmaMax, sigma_min: sigmaMin }) {
    const range = { sigmaMin, sigmaMax };
    switch (sampling) {
      case 'v_prediction':
        return { outputs: [own.withSampling(continuousEdmSampling('v_prediction', range))] };
      case 'eps':
        return { outputs: [own.withSampling(continuousEdmSampling('epsilon', range))] };
      case 'cosmos_rflow':
        return { outputs: [own.withSampling(cosmosFlowSampling(range))] };
      case 'edm':
      case 'edm_playground_v2.5': {
        const changed = own.withSampling(continuousEdmSampling('edm', { ...range, sigmaData: 0.5 }));
        return { outputs: [sampling === 'edm' ? changed : changed.withLatentFormat(playgroundLatent)] };
      }
    }
  },
});

export const modelSamplingContinuousV = defineNode({
  name: 'ModelSamplingContinuousV',
  displayName: 'ModelSamplingContinuousV',
  category,
  description: 'Says that a model predicts velocity at continuous noise levels, and which levels it knows.',
  required: {
    model,
    sampling: combo(['v_prediction'], { tooltip: 'What it predicts.' }),
    sigma_max: sigma(500, 'The highest noise level.'),
    sigma_min: sigma(0.03, 'The lowest noise level.'),
  },
  optional: {},
  outputs,
  run: ({ model: own, sigma_max: sigmaMax, sigma_min: sigmaMin }) => ({
    outputs: [own.withSampling(continuousVSampling({ sigmaMin, sigmaMax }))],
  }),
});
