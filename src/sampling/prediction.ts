/**
 * What a network's input and output mean at a noise level, in float32 and in torch's order (ComfyUI
 * comfy/model_sampling.py).
 */
import { tensor, type Tensor } from '../compute/tensor.js';
import { mapValues } from '../imaging/tensor-ops.js';
import type { ModelSampling } from '../models/denoiser/model-sampling.js';

const { fround, sqrt } = Math;

/** The noised latent as the network sees it: divided by the standard deviation of data and noise together, mostly. */
export function networkInput({ sigmaData, prediction }: ModelSampling, x: Tensor, sigma: number): Tensor {
  if (prediction === 'image' || prediction === 'image_flow' || prediction === 'flow') return x;
  if (prediction === 'cosmos_rflow') {
    const rest = fround(1 - flowTime(sigma));
    return mapValues(x, (value) => value * rest);
  }
  const deviation = totalDeviation(sigma, sigmaData);
  return mapValues(x, (value) => value / deviation);
}

/** The denoised prediction that the network's `output` for the noised latent `x` means. */
export function denoisedFrom(sampling: ModelSampling, output: Tensor, x: Tensor, sigma: number): Tensor {
  const { data } = output;
  const at = fround(sigma);
  switch (sampling.prediction) {
    case 'epsilon':
    case 'flow':
      return tensor(
        x.shape,
        x.data.map((value, index) => value - fround(data[index]! * at)),
      );
    case 'x0':
    case 'image':
    case 'image_flow':
      return output;
    case 'lcm':
      return consistencyFrom(sampling, output, x, at);
    case 'cosmos_rflow': {
      const time = flowTime(at);
      const rest = fround(1 - time);
      return tensor(
        x.shape,
        x.data.map((value, index) => fround(value * rest) - fround(data[index]! * time)),
      );
    }
    case 'v_prediction':
      return mixedFrom(sampling, output, x, at, -1);
    case 'edm':
      return mixedFrom(sampling, output, x, at, 1);
  }
}

/**
 * A consistency model's boundary: close to the prediction at high timesteps, to x at 0. Luo et al., "Latent Consistency
 * Models", 2023 (ComfyUI comfy_extras/nodes_model_advanced.py, LCM).
 */
function consistencyFrom({ levels }: ModelSampling, output: Tensor, x: Tensor, sigma: number): Tensor {
  const variance = 0.25;
  const timestep = fround(levels.sigmaToTimestep(sigma) * 10);
  const total = fround(fround(timestep * timestep) + variance);
  const skip = fround(variance / total);
  const share = fround(timestep / fround(sqrt(total)));
  return tensor(
    x.shape,
    x.data.map((value, index) => {
      const denoised = fround(value - fround(output.data[index]! * sigma));
      return fround(share * denoised) + fround(skip * value);
    }),
  );
}

/** ln(α/σ), half the logarithm of the signal-to-noise ratio (ComfyUI comfy/k_diffusion/sampling.py, sigma_to_half_log_snr). */
export function halfLogSnr({ prediction }: ModelSampling, sigma: number): number {
  return prediction === 'image_flow' ? Math.log((1 - sigma) / sigma) : -Math.log(sigma);
}

/** σ/(σ + 1): a rectified flow's time. */
function flowTime(sigma: number): number {
  const at = fround(sigma);
  return fround(at / fround(at + 1));
}

/** x·σd²/(σ² + σd²) ± output·σ·σd/√(σ² + σd²) */
function mixedFrom(
  { sigmaData }: ModelSampling,
  output: Tensor,
  x: Tensor,
  sigma: number,
  sign: 1 | -1,
): Tensor {
  const variance = fround(sigmaData ** 2);
  const total = fround(fround(sigma * sigma) + variance);
  const deviation = totalDeviation(sigma, sigmaData);
  return tensor(
    x.shape,
    x.data.map((value, index) => {
      const kept = fround(fround(value * variance) / total);
      const added = fround(fround(fround(output.data[index]! * sigma) * fround(sigmaData)) / deviation);
      return kept + sign * added;
    }),
  );
}

function totalDeviation(sigma: number, sigmaData: number): number {
  const at = fround(sigma);
  return fround(sqrt(fround(fround(at * at) + fround(sigmaData ** 2))));
}

/** What sampling starts from: the latent under noise of the first level (`noise_scaling`). */
export function noisedStart(sampling: ModelSampling, latent: Tensor, noise: Tensor, sigma: number): Tensor {
  return noised(sampling, latent, noise, sigma, startsFromPureNoise(sampling, sigma));
}

/** The latent as it is shown under noise of a level, where a mask keeps it. */
export function noisedKept(sampling: ModelSampling, latent: Tensor, noise: Tensor, sigma: number): Tensor {
  return noised(sampling, latent, noise, sigma);
}

function noised(
  { prediction, noiseScale = 1 }: ModelSampling,
  latent: Tensor,
  noise: Tensor,
  sigma: number,
  fromPureNoise = false,
): Tensor {
  if (prediction === 'image_flow') return latent;
  if (prediction === 'flow') return mixNoise(latent, noise, sigma, noiseScale);
  return addNoise(latent, noise, sigma, fromPureNoise);
}

/** What sampling leaves behind at its last level (`inverse_noise_scaling`). */
export function sampledEnd({ prediction }: ModelSampling, sample: Tensor, sigma: number): Tensor {
  if (prediction === 'image_flow') return mapValues(sample, (value) => 1 - value);
  if (prediction !== 'flow' || sigma === 0) return sample;
  const kept = fround(1 - fround(sigma));
  return mapValues(sample, (value) => value / kept);
}

/** sigma·scale·noise + (1 − sigma)·latent: a rectified flow's way (`CONST.noise_scaling`). */
function mixNoise(latent: Tensor, noise: Tensor, sigma: number, noiseScale: number): Tensor {
  const at = fround(sigma);
  const kept = fround(1 - at);
  const scale = fround(noiseScale);
  return tensor(
    latent.shape,
    latent.data.map((value, index) => fround(fround(noise.data[index]! * scale) * at) + fround(value * kept)),
  );
}

/**
 * A latent with noise of level `sigma`. At the schedule's upper end the noise is scaled up to the deviation that the
 * model was trained to see there (`max_denoise`).
 */
export function addNoise(latent: Tensor, noise: Tensor, sigma: number, fromPureNoise = false): Tensor {
  const at = fround(sigma);
  const scale = fromPureNoise ? totalDeviation(at, 1) : at;
  return tensor(
    latent.shape,
    latent.data.map((value, index) => fround(noise.data[index]! * scale) + value),
  );
}

/** Whether a schedule begins at the model's highest noise level (ComfyUI Sampler.max_denoise). */
function startsFromPureNoise({ levels, prediction }: ModelSampling, firstSigma: number): boolean {
  const { sigmaMax } = levels;
  // ComfyUI's COSMOS_RFLOW.noise_scaling has no such case.
  if (prediction === 'cosmos_rflow') return false;
  return firstSigma > sigmaMax || Math.abs(sigmaMax - firstSigma) <= 1e-5 * Math.max(sigmaMax, firstSigma);
}
