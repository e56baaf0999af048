/**
 * Which family a checkpoint belongs to, by the structure of its UNet alone (ComfyUI comfy/model_detection.py and
 * comfy/supported_models.py). ComfyUI compares widths as well; here narrow, pruned and distilled models are told by their
 * blocks.
 */
import { elementCount } from '../compute/tensor.js';
import type { FamilyName, ModelSampling } from './diffusion-model.js';
import type { LatentFormat } from './latent-format.js';
import { playgroundLatent, sdLatent, sdxlLatent } from './latent-formats.js';
import { ModelError } from './model-error.js';
import { continuousEdmSampling, discreteSampling } from './model-sampling.js';
import type { UnetConfig } from './unet/config.js';
import { detectUnet } from './unet/detect.js';
import type { UnetModelParts } from './unet/unet-model.js';
import { supportedFamilies, whatItLooksLike } from './unsupported.js';
import type { WeightSource } from './weight-source.js';
import { underPrefix } from './weight-views.js';

const unetPrefix = 'model.diffusion_model.';

/** The denoiser in a checkpoint. Throws `ModelError` saying what the file looks like when it is none that is supported. */
export function recogniseCheckpoint(checkpoint: WeightSource): UnetModelParts {
  const weights = underPrefix(checkpoint, unetPrefix);
  const unet = detectUnet(weights);
  if (unet === undefined) throw unsupported(checkpoint, whatItLooksLike(checkpoint));
  const family = familyOf(unet, checkpoint);
  return { family, unet, weights, ...formatAndSampling(family, unet, checkpoint) };
}

function familyOf(unet: UnetConfig, checkpoint: WeightSource): FamilyName {
  const key = (end: string) => [...checkpoint.keys()].some((name) => name.endsWith(end));
  if (key('.time_stack.0.attn1.to_q.weight') || key('.time_mix_blocks.0.attn1.to_q.weight')) {
    throw unsupported(checkpoint, 'a video model (Stable Video Diffusion or a relative)');
  }
  if (unet.inChannels !== 4 && unet.inChannels !== 9) {
    throw unsupported(
      checkpoint,
      `a model whose UNet takes ${unet.inChannels} channels (an image editing, depth or upscaling model); 4 are text to image, 9 inpainting`,
    );
  }
  if (unet.admChannels === undefined) return unet.linearInTransformer ? 'sd2' : 'sd1';
  if (unet.transformerDepth[0] !== 0) {
    throw unsupported(checkpoint, 'an SD 2.1 unCLIP model, whose input is an image');
  }
  // SDXL attends most where the image is smallest; its refiner leaves that level to the residual blocks.
  return unet.transformerDepth.at(-1) === 0 ? 'sdxl_refiner' : 'sdxl';
}

function formatAndSampling(
  family: FamilyName,
  unet: UnetConfig,
  checkpoint: WeightSource,
): { readonly latentFormat: LatentFormat; readonly sampling: ModelSampling } {
  switch (family) {
    case 'sd1':
      return { latentFormat: sdLatent, sampling: discreteSampling('epsilon') };
    case 'sd2':
      return {
        latentFormat: sdLatent,
        sampling: discreteSampling(predictsVelocity(unet, checkpoint) ? 'v_prediction' : 'epsilon'),
      };
    case 'sdxl_refiner':
      return { latentFormat: sdxlLatent, sampling: discreteSampling('epsilon') };
    case 'sdxl':
      return sdxlFormatAndSampling(checkpoint);
  }
}

/** Nothing in an SD 2.x file says what it predicts; the last block's biases spread more in v-prediction models. */
function predictsVelocity(unet: UnetConfig, checkpoint: WeightSource): boolean {
  const key = `${unetPrefix}output_blocks.11.1.transformer_blocks.0.norm1.bias`;
  return unet.inChannels === 4 && checkpoint.has(key) && deviation(valuesOf(checkpoint, key)) > 0.09;
}

/** SDXL's kinds are marked by keys of their own (ComfyUI comfy/supported_models.py, SDXL.model_type). */
function sdxlFormatAndSampling(checkpoint: WeightSource): {
  readonly latentFormat: LatentFormat;
  readonly sampling: ModelSampling;
} {
  if (checkpoint.has('edm_mean') && checkpoint.has('edm_std')) {
    return {
      latentFormat: playgroundLatent,
      sampling: continuousEdmSampling('edm', { sigmaMin: 0.002, sigmaMax: 80, sigmaData: 0.5 }),
    };
  }
  if (checkpoint.has('edm_vpred.sigma_max')) {
    const sigmaMax = valuesOf(checkpoint, 'edm_vpred.sigma_max')[0]!;
    const minKey = 'edm_vpred.sigma_min';
    const sigmaMin = checkpoint.has(minKey) ? { sigmaMin: valuesOf(checkpoint, minKey)[0]! } : {};
    return {
      latentFormat: sdxlLatent,
      sampling: continuousEdmSampling('v_prediction', { sigmaMax, ...sigmaMin }),
    };
  }
  const sampling = checkpoint.has('v_pred')
    ? discreteSampling('v_prediction', { zeroTerminalSnr: checkpoint.has('ztsnr') })
    : discreteSampling('epsilon');
  return { latentFormat: sdxlLatent, sampling };
}

function valuesOf(checkpoint: WeightSource, key: string): Float32Array {
  const weight = checkpoint.weight(key);
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  if (values.length === 0) throw new ModelError(`${checkpoint.path}: ${key} is empty`);
  return values;
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function unsupported(checkpoint: WeightSource, looksLike: string): ModelError {
  return new ModelError(
    `${checkpoint.path} can't be loaded as a checkpoint: it looks like ${looksLike}. Supported are ${supportedFamilies}`,
  );
}
