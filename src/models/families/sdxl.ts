/** SDXL and what was distilled or pruned of it: a label embedding of sizes, CLIP-L and OpenCLIP bigG. */
import { huggingFaceLayout, openClipLayout } from '../clip/layouts.js';
import { editedPicture } from '../denoiser-inputs/edited-picture.js';
import { sizeEmbedding } from '../denoiser-inputs/size-embedding.js';
import { playgroundLatent, sdxlLatent } from '../denoiser/latent-formats.js';
import { continuousEdmSampling, discreteSampling } from '../denoiser/model-sampling.js';
import { joinChannels } from '../text/join-channels.js';
import type { WeightSource } from '../weights/weight-source.js';
import { sdxlClipG, sdxlClipL } from './clip-uses.js';
import { valuesOf } from './marks.js';
import { unetFamily, type UnetKind } from './unet-family.js';

export const sdxl = unetFamily({
  name: 'sdxl',
  title: 'SDXL',
  // It attends most where the image is smallest; its refiner leaves that level to the residual blocks.
  matches: ({ admChannels, transformerDepth }) => admChannels !== undefined && transformerDepth.at(-1) !== 0,
  kind: ({ whole }) => ({ ...kindOf(whole), trainedSide: 1024 }),
  inputs: ({ admChannels = 0 }) => [
    sizeEmbedding({ family: 'sdxl', width: admChannels, last: 'target size' }),
  ],
  editedPicture: ({ whole }) => editedPicture({ inModelSpace: whole.has('edm_vpred.sigma_max') }),
  text: { encoders: [sdxlClipL, sdxlClipG], join: joinChannels },
  textWeights: (checkpoint) => ({
    l: huggingFaceLayout(checkpoint, 'conditioner.embedders.0.transformer.'),
    g: openClipLayout(checkpoint, 'conditioner.embedders.1.model.'),
  }),
});

/** Its kinds are marked by keys of their own (ComfyUI comfy/supported_models.py, SDXL.model_type). */
function kindOf(checkpoint: WeightSource): Pick<UnetKind, 'latentFormat' | 'sampling'> {
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
