/** Changes of the guided prediction that are a formula each. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import type { GuidedInput } from '../../models/denoiser/guidance.js';
import { halfLogSnr } from '../prediction.js';
import { channelNorms, mapRows, placeOf, rowProducts } from './rows.js';

/**
 * CFG-Zero*: the negative prediction scaled to fit the positive one best before guidance. Fan et al., "CFG-Zero*: Improved
 * Classifier-Free Guidance for Flow Matching Models", 2025 (ComfyUI comfy_extras/nodes_cfg.py, CFGZeroStar).
 */
export function zeroStar({ x, cond, uncond, denoised, cfg }: GuidedInput): Tensor {
  const positive = combineValues(x, cond, (a, b) => a - b);
  const negative = combineValues(x, uncond, (a, b) => a - b);
  const squares = rowProducts(negative, negative);
  const scales = rowProducts(positive, negative).map((product, row) => product / (squares[row]! + 1e-8));
  return mapRows(denoised, (value, row, index) => {
    const base = uncond.data[index]!;
    return value + base * (scales[row]! - 1) + cfg * base * (1 - scales[row]!);
  });
}

/** No place of the guided prediction may measure more than the positive one does there (ComfyUI nodes_cfg.py, CFGNorm). */
export function boundedByPositive(strength: number): (input: GuidedInput) => Tensor {
  return ({ cond, denoised }) => {
    const [rows = 1, channels = 1] = denoised.shape;
    const area = denoised.data.length / rows / channels;
    const wanted = channelNorms(cond);
    const scales = channelNorms(denoised).map((norm, place) => Math.min(1, wanted[place]! / (norm + 1e-8)));
    return mapRows(denoised, (value, _, index) => value * scales[placeOf(index, channels, area)]! * strength);
  };
}

/**
 * Guidance by how far positive and negative lead to the same place (ComfyUI comfy_extras/nodes_mahiro.py). One number for the whole batch,
 * as there.
 */
export function positiveBiased({ cond, uncond, denoised, cfg }: GuidedInput): Tensor {
  const root = (value: number): number => Math.sqrt(Math.abs(value)) * Math.sign(value);
  const negative = tensor(
    uncond.shape,
    uncond.data.map((value) => root(value * cfg)),
  );
  const merged = combineValues(cond, denoised, (a, b) => root((a * cfg + b) / 2));
  const similarity = meanCosine(negative, merged);
  const share = 2 * (similarity + 1);
  return combineValues(denoised, cond, (guided, leap) => (share * guided + (4 - share) * leap * cfg) / 4);
}

/** The mean over all places of the channels' cosine (torch's cosine_similarity: norms of at least 1e-8). */
function meanCosine(a: Tensor, b: Tensor): number {
  const [rows = 1, channels = 1] = a.shape;
  const area = a.data.length / rows / channels;
  const products = new Float64Array(rows * area);
  a.data.forEach((value, index) => {
    products[placeOf(index, channels, area)]! += value * b.data[index]!;
  });
  const [ofA, ofB] = [channelNorms(a), channelNorms(b)];
  const cosine = (product: number, at: number): number =>
    product / (Math.max(ofA[at]!, 1e-8) * Math.max(ofB[at]!, 1e-8));
  return products.reduce((sum, product, at) => sum + cosine(product, at), 0) / products.length;
}

/**
 * The predicted noise divided by a factor. Ning et al., "Elucidating the Exposure Bias in Diffusion Models", 2023 (ComfyUI
 * comfy_extras/nodes_eps.py, Epsilon Scaling).
 */
export function epsilonScaled(factor: number): (input: GuidedInput) => Tensor {
  return ({ x, denoised }) => combineValues(x, denoised, (from, to) => from - (from - to) / factor);
}

/**
 * Steers diversity by the score's length over time. Xu et al., "Temporal Score Rescaling for Temperature Sampling in Diffusion and Flow
 * Models", 2025, equation 6 (ComfyUI comfy_extras/nodes_eps.py, TemporalScoreRescaling).
 */
export function temporalScoreRescaling(k: number, deviation: number): (input: GuidedInput) => Tensor {
  const variance = deviation ** 2;
  return ({ x, sigma, sampling, denoised }) => {
    if (k === 1 || sigma === 0) return denoised;
    const halfLog = halfLogSnr(sampling, sigma);
    const snr = Math.exp(2 * halfLog);
    if (snr === 0) return denoised;
    const ratio = snr === Infinity ? k : (snr * variance + 1) / ((snr * variance) / k + 1);
    const alpha = sigma * Math.exp(halfLog);
    return combineValues(x, denoised, (noised, clean) => {
      const start = noised / alpha;
      return start + ratio * (clean - start);
    });
  };
}
