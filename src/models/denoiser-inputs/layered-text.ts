/** What HiDream sees beside T5's text (ComfyUI comfy/model_base.py, HiDream.extra_conds). */
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';

/** The states of all layers of a language model, N×L×T×C. */
export const layeredText: DenoiserInput = { name: 'llama', kind: 'rows', prepare: ({ llama }) => llama };

/** A picture that is edited, as a latent beside the one that is made. */
export const pictureBeside: DenoiserInput = {
  name: 'concat',
  kind: 'picture',
  prepare: ({ concatLatentImage }, { latentFormat }) =>
    concatLatentImage && toModelSpace(latentFormat, concatLatentImage),
};
