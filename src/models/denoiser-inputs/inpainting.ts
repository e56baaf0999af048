import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatChannels, withChannel } from '../../imaging/latent-channels.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { mapValues, sameRows } from '../../imaging/tensor-ops.js';
import { spreadOverBatch } from '../../imaging/spread-over-batch.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';

/** A grey picture's latent, by channel (ComfyUI comfy/model_base.py, blank_inpaint_image_like). */
const blankLatent = [0.8223, -0.6876, 0.6364, 0.138];

/**
 * What an inpainting UNet sees beside the latent, N×5×h×w: the mask and the masked picture's latent (ComfyUI
 * comfy/model_base.py, concat_cond). The entry's own come first, then the noise mask and the latent that is sampled from;
 * without any mask it is all mask over a grey picture.
 */
export const maskedPicture: DenoiserInput = {
  name: 'concat',
  kind: 'picture',
  prepare({ concatLatentImage, concatMask }, { latent, noiseMask, latentFormat }) {
    const [rows = 1, , height = 1, width = 1] = latent.shape;
    const given = concatMask ?? noiseMask;
    if (given === undefined) {
      const ones = tensor([rows, 1, height, width]);
      ones.data.fill(1);
      return concatChannels(ones, blankLike(latent));
    }
    const picture = concatLatentImage === undefined ? latent : toModelSpace(latentFormat, concatLatentImage);
    const target = { height, width, crop: 'center' } as const;
    const fittedPicture = sameRows(picture, latent) ? picture : upscaleLatent(picture, 'bilinear', target);
    const mask = upscaleLatent(withChannel(given), 'bilinear', target);
    return concatChannels(
      spreadOverBatch(mapValues(mask, roundHalfEven), rows),
      spreadOverBatch(fittedPicture, rows),
    );
  },
};

function blankLike(latent: Tensor): Tensor {
  const [, channels = 1, height = 1, width = 1] = latent.shape;
  const blank = tensor(latent.shape);
  for (let plane = 0; plane * height * width < blank.data.length; plane++) {
    const value = blankLatent[plane % channels] ?? 1;
    blank.data.fill(value, plane * height * width, (plane + 1) * height * width);
  }
  return blank;
}
