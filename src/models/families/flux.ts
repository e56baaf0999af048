/** Flux.1 (Black Forest Labs, 2024): dev, schnell, Fill, Kontext. A transformer over patches with CLIP-L's pooled text and T5's. */
import { maskedPatches } from '../denoiser-inputs/masked-patches.js';
import { referencePictures } from '../denoiser-inputs/references.js';
import { distilledGuidance, pooledText, wholeText } from '../denoiser-inputs/text.js';
import { fluxSampling, flowSampling } from '../denoiser/model-sampling.js';
import { fluxLatent } from '../denoiser/transformer-latents.js';
import { fluxLoraNames } from '../transformer/diffusers-names.js';
import { detectFlux } from '../transformer/flux/config.js';
import { fluxNetwork } from '../transformer/flux/network.js';
import { transformerFamily } from './transformer-family.js';

/** How strongly a prompt counts where a workflow says nothing (ComfyUI comfy/model_base.py, Flux.extra_conds). */
const GUIDANCE = 3.5;

export const flux = transformerFamily({
  name: 'flux',
  title: 'Flux.1',
  encoderType: 'flux',
  detect(denoiser) {
    const config = detectFlux(denoiser);
    return config === undefined || config.second ? undefined : config;
  },
  kind(config) {
    // Inpainting and structural models see a picture beside the latent, and the first of them a mask, too.
    const beside = config.inputs - config.outputs;
    const kind =
      beside === 0
        ? config.takesGuidance
          ? 'dev'
          : 'schnell'
        : beside === config.outputs
          ? 'structural'
          : 'fill';
    return {
      kind,
      network: fluxNetwork('flux', config),
      inputs: [
        wholeText,
        pooledText,
        distilledGuidance(GUIDANCE),
        ...referencePictures,
        ...(beside === 0 ? [] : [maskedPatches({ withMask: beside > config.outputs })]),
      ],
      latentFormat: fluxLatent,
      loraNames: () => fluxLoraNames(config),
      sampling: config.takesGuidance ? fluxSampling(1.15) : flowSampling(1, 1),
      drawsFromText: beside === 0,
    };
  },
});
