/** Stable Diffusion 1.x: a UNet that projects by convolutions, and CLIP-L. */
import { huggingFaceLayout } from '../clip/layouts.js';
import { editedPicture } from '../denoiser-inputs/edited-picture.js';
import { sdLatent } from '../denoiser/latent-formats.js';
import { discreteSampling } from '../denoiser/model-sampling.js';
import { joinChannels } from '../text/join-channels.js';
import { sd1ClipL } from './clip-uses.js';
import { unetFamily } from './unet-family.js';

export const sd1 = unetFamily({
  name: 'sd1',
  title: 'SD 1.x',
  matches: ({ admChannels, linearInTransformer }) => admChannels === undefined && !linearInTransformer,
  kind: () => ({ latentFormat: sdLatent, sampling: discreteSampling('epsilon'), trainedSide: 512 }),
  editedPicture: () => editedPicture({ inModelSpace: false }),
  text: { encoders: [sd1ClipL], join: joinChannels },
  textWeights: (checkpoint) => ({
    l:
      huggingFaceLayout(checkpoint, 'conditioner.embedders.0.transformer.') ??
      huggingFaceLayout(checkpoint, 'cond_stage_model.transformer.'),
  }),
});
