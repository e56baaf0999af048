/** Noise levels of models that were trained as rectified flows (ComfyUI comfy_extras/nodes_model_advanced.py). */
import { flowSampling, fluxSampling } from '../../models/denoiser/model-sampling.js';
import { defineNode, float, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const model = link('MODEL', { tooltip: 'The model to change.' });
const outputs = [{ type: 'MODEL', name: 'MODEL' }] as const;

const shift = (value: number, tooltip: string) =>
  float({ default: value, min: 0, max: 100, step: 0.01, tooltip });
const howFar = 'How far levels are shifted towards noise; larger pictures need more.';

export const modelSamplingSd3 = defineNode({
  name: 'ModelSamplingSD3',
  displayName: 'ModelSamplingSD3',
  category: 'model/patch/stable diffusion',
  description: 'Shifts the noise levels of SD3, Wan and other models that are told a time of up to 1000.',
  required: { model, shift: shift(3, howFar) },
  optional: {},
  outputs,
  run: ({ model: own, shift: by }) => ({ outputs: [own.withSampling(flowSampling(by, 1000))] }),
});

export const modelSamplingAuraFlow = defineNode({
  name: 'ModelSamplingAuraFlow',
  displayName: 'ModelSamplingAuraFlow',
  category: 'model/patch',
  description:
    'Shifts the noise levels of Z-Image, Lumina 2, Qwen-Image, AuraFlow and other models that are told a time of up to 1.',
  required: { model, shift: shift(1.73, howFar) },
  optional: {},
  outputs,
  run: ({ model: own, shift: by }) => ({ outputs: [own.withSampling(flowSampling(by, 1))] }),
});

/** Patches of 16×16 pixels between which the shift grows from its base to its maximum. */
const FEWEST_PATCHES = 256;
const MOST_PATCHES = 4096;
const PATCH_AREA = 16 * 16;

export const modelSamplingFlux = defineNode({
  name: 'ModelSamplingFlux',
  displayName: 'ModelSamplingFlux',
  category: 'model/patch/flux',
  description: "Shifts a Flux model's noise levels by the picture's size.",
  required: {
    model,
    max_shift: shift(1.15, 'Logarithm of the shift at 1024×1024 pixels.'),
    base_shift: shift(0.5, 'Logarithm of the shift at 256×256 pixels.'),
    width: int({ default: 1024, min: 16, max: MAX_RESOLUTION, step: 8, tooltip: 'Width in pixels.' }),
    height: int({ default: 1024, min: 16, max: MAX_RESOLUTION, step: 8, tooltip: 'Height in pixels.' }),
  },
  optional: {},
  outputs,
  run({ model: own, max_shift: most, base_shift: base, width, height }) {
    const slope = (most - base) / (MOST_PATCHES - FEWEST_PATCHES);
    const start = base - slope * FEWEST_PATCHES;
    return { outputs: [own.withSampling(fluxSampling(((width * height) / PATCH_AREA) * slope + start))] };
  },
});

export const modelNoiseScale = defineNode({
  name: 'ModelNoiseScale',
  displayName: 'ModelNoiseScale',
  category: 'model/patch',
  description: 'Says how strong the noise is that a flow model begins with.',
  required: {
    model: link('MODEL', { tooltip: 'The model.' }),
    noise_scale: float({
      default: 1,
      min: 0,
      max: 64,
      step: 0.01,
      tooltip: 'What the noise is multiplied by.',
    }),
  },
  optional: {},
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  run({ model: own, noise_scale: noiseScale }) {
    const { sampling } = own;
    if (sampling.prediction !== 'flow') {
      throw new RangeError(
        `ModelNoiseScale is for models of rectified flows; this ${own.family} model predicts ${sampling.prediction}`,
      );
    }
    const identity = `${sampling.identity} noise ${noiseScale}`;
    return { outputs: [own.withSampling({ ...sampling, identity, noiseScale })] };
  },
});
