import { distilledGuidance, wholeText } from '../denoiser-inputs/text.js';
import { fluxSampling } from '../denoiser/model-sampling.js';
import { fluxLatent } from '../denoiser/transformer-latents.js';
import { chromaNetwork, detectChroma } from '../transformer/chroma/network.js';
import { fluxLoraNames } from '../transformer/diffusers-names.js';
import { transformerFamily } from './transformer-family.js';

export const chroma = transformerFamily({
  name: 'chroma',
  title: 'Chroma',
  encoderType: 'chroma',
  detect: detectChroma,
  kind: (config) => ({
    network: chromaNetwork(config),
    // Prompts of different lengths are evaluated apart; where a workflow says nothing, guidance is 0.
    inputs: [wholeText, distilledGuidance(0)],
    latentFormat: fluxLatent,
    sampling: fluxSampling(1.15),
    loraNames: () => fluxLoraNames(config),
  }),
});
