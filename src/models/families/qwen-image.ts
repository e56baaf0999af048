import { attentionMask } from '../denoiser-inputs/attention-mask.js';
import { referencePictures } from '../denoiser-inputs/references.js';
import { wholeText } from '../denoiser-inputs/text.js';
import { fluxSampling } from '../denoiser/model-sampling.js';
import { wan21Latent } from '../denoiser/transformer-latents.js';
import { loraNamesOf, ownNames, SPELLINGS } from '../transformer/diffusers-names.js';
import { detectQwenImage, qwenImageNetwork } from '../transformer/qwen/network.js';
import { transformerFamily } from './transformer-family.js';

/** Qwen-Image and Qwen-Image-Edit: latents of Wan's autoencoder with one frame, and Qwen 2.5-VL's text. */
export const qwenImage = transformerFamily({
  name: 'qwen_image',
  title: 'Qwen-Image',
  encoderType: 'qwen_image',
  detect: detectQwenImage,
  kind: (config, denoiser) => ({
    network: qwenImageNetwork(config),
    inputs: [wholeText, attentionMask, ...referencePictures],
    latentFormat: wan21Latent,
    sampling: fluxSampling(1.15),
    loraNames: () => loraNamesOf(ownNames(denoiser), SPELLINGS.qwen),
    trainedSide: 1328,
  }),
});
