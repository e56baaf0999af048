/** SD 2.1 unCLIP: an SD 2.x that is shown a picture's embedding, of CLIP's L or H, which its checkpoints hold as well. */
import { unclipEmbedding } from '../denoiser-inputs/picture-embedding.js';
import { joinChannels } from '../text/join-channels.js';
import { sd2ClipH } from './clip-uses.js';
import { sd2Kind, sd2TextWeights } from './sd2.js';
import { unetFamily } from './unet-family.js';

export const sd2Unclip = unetFamily({
  name: 'sd2 unclip',
  title: 'SD 2.1 unCLIP',
  // Unlike SDXL it attends where the picture is largest.
  matches: ({ admChannels, transformerDepth }) => admChannels !== undefined && transformerDepth[0] !== 0,
  kind: sd2Kind,
  inputs: ({ admChannels = 0 }) => [unclipEmbedding(admChannels)],
  text: { encoders: [sd2ClipH], join: joinChannels },
  textWeights: sd2TextWeights,
  imageEncoder: 'embedder.model.visual.',
});
