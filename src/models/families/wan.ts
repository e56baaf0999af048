/** Wan 2.1 and 2.2: text and image to video, 1.3B, 14B (both halves of 2.2) and 5B. */
import { wholeText } from '../denoiser-inputs/text.js';
import { filmBeside, frameMask } from '../denoiser-inputs/film.js';
import { flowSampling } from '../denoiser/model-sampling.js';
import { wan21Latent, wan22Latent } from '../denoiser/transformer-latents.js';
import { detectWan, wanNetwork } from '../transformer/wan/network.js';
import { transformerFamily } from './transformer-family.js';

const SHIFT = 8;
const MULTIPLIER = 1000;

export const wan = transformerFamily({
  name: 'wan',
  title: 'Wan',
  encoderType: 'wan',
  detect: detectWan,
  kind(config) {
    const isSmall = config.outputs === wan22Latent.channels;
    const beside = config.inputs - config.outputs;
    return {
      kind: isSmall ? '2.2 5B' : beside > 0 ? 'image to video' : 'text to video',
      network: wanNetwork(config),
      inputs: [wholeText, ...(beside > 0 ? [filmBeside(beside)] : []), ...(isSmall ? [frameMask] : [])],
      latentFormat: isSmall ? wan22Latent : wan21Latent,
      sampling: flowSampling(SHIFT, MULTIPLIER),
      keepsLatentClean: isSmall,
      drawsFromText: beside === 0,
      trainedSide: 480,
    };
  },
});
