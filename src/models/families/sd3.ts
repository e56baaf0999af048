import { pooledText, wholeText } from '../denoiser-inputs/text.js';
import { flowSampling } from '../denoiser/model-sampling.js';
import { sd3Latent } from '../denoiser/transformer-latents.js';
import { loraNamesOf, sd3Names, SPELLINGS } from '../transformer/diffusers-names.js';
import { detectSd3, sd3Network } from '../transformer/sd3/network.js';
import { transformerFamily } from './transformer-family.js';

/** SD3 and SD3.5, medium, large and turbo. */
export const sd3 = transformerFamily({
  name: 'sd3',
  title: 'SD3',
  encoderType: 'sd3',
  detect: detectSd3,
  kind: (config, denoiser) => ({
    network: sd3Network(config, denoiser),
    inputs: [wholeText, pooledText],
    latentFormat: sd3Latent,
    sampling: flowSampling(3, 1000),
    loraNames: () => loraNamesOf(sd3Names(config), SPELLINGS.sd3),
  }),
  vaePrefix: 'first_stage_model.',
});
