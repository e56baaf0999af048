import { tensor } from '../../compute/tensor.js';
import { sameRows } from '../../imaging/tensor-ops.js';
import { spreadOverBatch } from '../../imaging/spread-over-batch.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';

/**
 * The picture that an InstructPix2Pix UNet edits, as the autoencoder encodes it, N×C×h×w; zeros without one (ComfyUI
 * comfy/model_base.py, IP2P). CosXL's wants it in the model's space, all others as it is.
 */
export function editedPicture({ inModelSpace }: { readonly inModelSpace: boolean }): DenoiserInput {
  return {
    name: 'concat',
    kind: 'picture',
    prepare({ concatLatentImage }, { latent, latentFormat }) {
      const [rows = 1, , height = 1, width = 1] = latent.shape;
      const picture = concatLatentImage ?? tensor(latent.shape);
      const target = { height, width, crop: 'center' } as const;
      const fitted = sameRows(picture, latent) ? picture : upscaleLatent(picture, 'bilinear', target);
      const spread = spreadOverBatch(fitted, rows);
      return inModelSpace ? toModelSpace(latentFormat, spread) : spread;
    },
  };
}
