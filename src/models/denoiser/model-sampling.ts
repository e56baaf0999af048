/** The noise levels of each kind of model, and what its network predicts (ComfyUI comfy/model_sampling.py). */
import { NoiseLevels } from '../../native/addon.js';

/**
 * What a network's output means (ComfyUI comfy/model_sampling.py, and LCM of comfy_extras/nodes_model_advanced.py). With
 * `image` it is the denoised latent, and the noised one goes in unscaled; with `image_flow` that is never noised, and the result is
 * turned over, 1 − x. A `flow` predicts the velocity from latent to noise, which are mixed by sigma (CONST).
 */
export type Prediction =
  'epsilon' | 'v_prediction' | 'x0' | 'edm' | 'lcm' | 'image' | 'image_flow' | 'cosmos_rflow' | 'flow';

/** The noise levels that a model was trained on, and what it predicts. */
export interface ModelSampling {
  /** Changes when any level would. */
  readonly identity: string;
  readonly prediction: Prediction;
  /** Standard deviation of the data: 1, or 0.5 for Playground 2.5. */
  readonly sigmaData: number;
  /** Sigmas, timesteps and schedules. */
  readonly levels: NoiseLevels;
  /** What the noise is multiplied by that a flow begins with; 1 when left out. */
  readonly noiseScale?: number;
}

export interface DiscreteOptions {
  /** Rescales the schedule so that its last step has no signal left (zero terminal SNR). */
  readonly zeroTerminalSnr?: boolean;
  /** Only the 50 timesteps that LCM was distilled on. */
  readonly distilled?: boolean;
}

// SD 1.x, 2.x and SDXL were all trained on this schedule.
const linearStart = 0.00085;
const linearEnd = 0.012;

/** ModelSamplingDiscrete: 1000 steps of a schedule whose betas' roots grow linearly. */
export function discreteSampling(
  prediction: Prediction,
  { zeroTerminalSnr = false, distilled = false }: DiscreteOptions = {},
): ModelSampling {
  const kind = distilled ? 'distilled' : 'discrete';
  return {
    identity: `${prediction} ${kind}${zeroTerminalSnr ? ' zsnr' : ''}`,
    prediction,
    sigmaData: 1,
    levels: new NoiseLevels(kind, linearStart, linearEnd, zeroTerminalSnr),
  };
}

export interface ContinuousOptions {
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
  /** Standard deviation of the data; 0.5 for Playground 2.5. */
  readonly sigmaData?: number;
}

/** ModelSamplingContinuousEDM: every level of a range; the network is told ln(σ)/4. */
export function continuousEdmSampling(
  prediction: Prediction,
  options: ContinuousOptions = {},
): ModelSampling {
  return continuousSampling('continuous_edm', prediction, options);
}

/** ModelSamplingContinuousV: every level of a range; the network is told 2·atan(σ)/π. */
export function continuousVSampling(options: ContinuousOptions): ModelSampling {
  return continuousSampling('continuous_v', 'v_prediction', options);
}

/** ModelSamplingCosmosRFlow: every level of a range; the network is told σ/(σ + 1). */
export function cosmosFlowSampling(options: ContinuousOptions): ModelSampling {
  return continuousSampling('cosmos_rflow', 'cosmos_rflow', options);
}

/** ModelSamplingDiscreteFlow: a rectified flow's 1000 times, shifted towards noise. The network is told sigma · multiplier. */
export function flowSampling(shift: number, multiplier: number): ModelSampling {
  return {
    identity: `flow ${shift} ${multiplier}`,
    prediction: 'flow',
    sigmaData: 1,
    levels: new NoiseLevels('flow', shift, multiplier),
  };
}

/** ModelSamplingFlux: a flow's 10,000 times, shifted by e^mu. The network is told sigma. */
export function fluxSampling(mu: number): ModelSampling {
  return { identity: `flux ${mu}`, prediction: 'flow', sigmaData: 1, levels: new NoiseLevels('flux', mu) };
}

/** Whether latent and noise are mixed by sigma: ComfyUI's CONST, for which some samplers have other formulas. */
export function isFlow({ prediction }: Pick<ModelSampling, 'prediction'>): boolean {
  return prediction === 'flow' || prediction === 'image_flow';
}

function continuousSampling(
  kind: 'continuous_edm' | 'continuous_v' | 'cosmos_rflow',
  prediction: Prediction,
  { sigmaMin = 0.002, sigmaMax = 120, sigmaData = 1 }: ContinuousOptions,
): ModelSampling {
  return {
    identity: `${prediction} ${kind} ${sigmaMin} ${sigmaMax} ${sigmaData}`,
    prediction,
    sigmaData,
    levels: new NoiseLevels(kind, sigmaMin, sigmaMax),
  };
}
