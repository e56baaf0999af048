/** The noise levels of each kind of model, float32 as torch computes them (ComfyUI comfy/model_sampling.py). */
import type { ModelSampling, Prediction } from './diffusion-model.js';

export interface DiscreteOptions {
  /** Rescales the schedule so that its last step has no signal left (zero terminal SNR). */
  readonly zeroTerminalSnr?: boolean;
}

const trainingSteps = 1000;
const linearStart = 0.00085;
const linearEnd = 0.012;

/** ModelSamplingDiscrete: 1000 steps of a schedule whose betas' roots grow linearly. */
export function discreteSampling(prediction: Prediction, options: DiscreteOptions = {}): ModelSampling {
  const start = Math.sqrt(linearStart);
  const step = (Math.sqrt(linearEnd) - start) / (trainingSteps - 1);
  let alphasCumulated = 1;
  const sigmas = Array.from({ length: trainingSteps }, (_, index) => {
    const root =
      index < trainingSteps / 2
        ? start + step * index
        : Math.sqrt(linearEnd) - step * (trainingSteps - index - 1);
    alphasCumulated *= 1 - root * root;
    return Math.sqrt((1 - alphasCumulated) / alphasCumulated);
  });
  const scaled = options.zeroTerminalSnr === true ? rescaledToZeroTerminalSnr(sigmas) : sigmas;
  return { prediction, timestepping: 'discrete', sigmas: Float32Array.from(scaled) };
}

/** What is left of the signal's square at the last step, where it would be none (rescale_zero_terminal_snr_sigmas). */
const lastAlpha = 4.8973451890853435e-8;

function rescaledToZeroTerminalSnr(sigmas: readonly number[]): number[] {
  const roots = sigmas.map((sigma) => Math.sqrt(1 / (sigma * sigma + 1)));
  const first = roots[0]!;
  const last = roots.at(-1)!;
  return roots.map((root, index) => {
    const alpha = index === roots.length - 1 ? lastAlpha : ((root - last) * (first / (first - last))) ** 2;
    return Math.sqrt((1 - alpha) / alpha);
  });
}

export interface ContinuousOptions {
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
  readonly sigmaData?: number;
}

/** ModelSamplingContinuousEDM: 1000 levels, evenly spaced in ln σ, standing for all between them. */
export function continuousEdmSampling(
  prediction: Prediction,
  { sigmaMin = 0.002, sigmaMax = 120, sigmaData = 1 }: ContinuousOptions = {},
): ModelSampling {
  const start = Math.fround(Math.log(sigmaMin));
  const end = Math.fround(Math.log(sigmaMax));
  const step = Math.fround(Math.fround(end - start) / (trainingSteps - 1));
  const sigmas = Float32Array.from({ length: trainingSteps }, (_, index) =>
    Math.exp(
      index < trainingSteps / 2
        ? Math.fround(start + Math.fround(step * index))
        : Math.fround(end - Math.fround(step * (trainingSteps - index - 1))),
    ),
  );
  return { prediction, timestepping: 'edm', sigmaData, sigmas };
}
