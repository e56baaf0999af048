/** SDXL's refiner: it goes over what SDXL drew, told by bigG alone what it is, and how beautiful it should be. */
import { openClipLayout } from '../clip/layouts.js';
import { sizeEmbedding } from '../denoiser-inputs/size-embedding.js';
import { sdxlLatent } from '../denoiser/latent-formats.js';
import { discreteSampling } from '../denoiser/model-sampling.js';
import { joinChannels } from '../text/join-channels.js';
import { refinerClipG } from './clip-uses.js';
import { unetFamily } from './unet-family.js';

export const sdxlRefiner = unetFamily({
  name: 'sdxl_refiner',
  title: 'the SDXL refiner',
  matches: ({ admChannels, transformerDepth }) => admChannels !== undefined && transformerDepth.at(-1) === 0,
  kind: () => ({ latentFormat: sdxlLatent, sampling: discreteSampling('epsilon'), trainedSide: 1024 }),
  inputs: ({ admChannels = 0 }) => [
    sizeEmbedding({ family: 'sdxl_refiner', width: admChannels, last: 'aesthetic score' }),
  ],
  text: { encoders: [refinerClipG], join: joinChannels },
  textWeights: (checkpoint) => ({ g: openClipLayout(checkpoint, 'conditioner.embedders.0.model.') }),
  drawsFromText: false,
});
