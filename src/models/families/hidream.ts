import { layeredText, pictureBeside } from '../denoiser-inputs/layered-text.js';
import { pooledText, wholeText } from '../denoiser-inputs/text.js';
import { flowSampling } from '../denoiser/model-sampling.js';
import { fluxLatent } from '../denoiser/transformer-latents.js';
import { loraNamesOf, ownNames, SPELLINGS } from '../transformer/diffusers-names.js';
import { detectHiDream, hiDreamNetwork } from '../transformer/hidream/network.js';
import { transformerFamily } from './transformer-family.js';

/** HiDream-I1 and E1 (HiDream.ai, 2025), with CLIP's, T5's and Llama's texts. */
export const hiDream = transformerFamily({
  name: 'hidream',
  title: 'HiDream',
  encoderType: 'hidream',
  detect: detectHiDream,
  kind: (config, denoiser) => ({
    network: hiDreamNetwork(config),
    inputs: [wholeText, pooledText, layeredText, pictureBeside],
    latentFormat: fluxLatent,
    sampling: flowSampling(1, 1000),
    loraNames: () => loraNamesOf(ownNames(denoiser), SPELLINGS.hidream),
  }),
});
