import { wholeText } from '../denoiser-inputs/text.js';
import { sdxlLatent } from '../denoiser/latent-formats.js';
import { flowSampling } from '../denoiser/model-sampling.js';
import { auraNames, loraNamesOf, SPELLINGS } from '../transformer/diffusers-names.js';
import { auraNetwork, detectAura } from '../transformer/aura/network.js';
import { transformerFamily } from './transformer-family.js';

/** AuraFlow, with SDXL's latents and the text of a T5 trained on the Pile. */
export const auraFlow = transformerFamily({
  name: 'auraflow',
  title: 'AuraFlow',
  encoderType: 'auraflow',
  detect: detectAura,
  kind: (config, denoiser) => ({
    network: auraNetwork(config, denoiser),
    inputs: [wholeText],
    latentFormat: sdxlLatent,
    sampling: flowSampling(1.73, 1),
    loraNames: () => loraNamesOf(auraNames(config), SPELLINGS.aura),
  }),
});
