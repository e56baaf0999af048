/** Flux.2 (Black Forest Labs, 2025): Klein and dev. One modulation for all blocks, latents of 128 channels, text by a language model. */
import { referencePictures } from '../denoiser-inputs/references.js';
import { distilledGuidance, paddedText } from '../denoiser-inputs/text.js';
import { fluxSampling } from '../denoiser/model-sampling.js';
import { flux2Latent } from '../denoiser/transformer-latents.js';
import { fluxLoraNames } from '../transformer/diffusers-names.js';
import { detectFlux } from '../transformer/flux/config.js';
import { fluxNetwork } from '../transformer/flux/network.js';
import { transformerFamily } from './transformer-family.js';

const GUIDANCE = 3.5;
/** Tokens that a prompt has at least (ComfyUI comfy/model_base.py, Flux2.extra_conds). */
const TOKENS = 512;

export const flux2 = transformerFamily({
  name: 'flux2',
  title: 'Flux.2',
  encoderType: 'flux2',
  detect(denoiser) {
    const config = detectFlux(denoiser);
    return config?.second === true ? config : undefined;
  },
  kind: (config) => ({
    kind: config.takesGuidance ? 'dev' : 'klein',
    network: fluxNetwork('flux2', config),
    inputs: [paddedText(TOKENS), distilledGuidance(GUIDANCE), ...referencePictures],
    latentFormat: flux2Latent,
    sampling: fluxSampling(2.02),
    loraNames: () => fluxLoraNames(config),
  }),
});
