import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatChannels } from '../../imaging/latent-channels.js';
import { spreadOverBatch } from '../../imaging/spread-over-batch.js';
import { sameRows } from '../../imaging/tensor-ops.js';
import { upscaleLatent } from '../../imaging/upscale.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { toModelSpace } from '../denoiser/latent-format.js';

/** Pixels a side of what one latent pixel stands for. */
const CELL = 8;

/**
 * What Flux's models for inpainting and for structure see beside the latent: a picture's latent, and with a mask its 8×8 pixels for each
 * latent pixel as channels (ComfyUI comfy/model_base.py, Flux.concat_cond). Without a picture it is zeros in the nodes' space, without a
 * mask all of it is painted.
 */
export function maskedPatches({ withMask }: { readonly withMask: boolean }): DenoiserInput {
  return {
    name: 'concat',
    kind: 'picture',
    prepare({ concatLatentImage, concatMask }, { latent, noiseMask, latentFormat }) {
      const [rows = 1, , height = 1, width = 1] = latent.shape;
      const given = concatLatentImage ?? tensor(latent.shape);
      const fitted = sameRows(given, latent)
        ? given
        : upscaleLatent(given, 'bilinear', { height, width, crop: 'center' });
      const picture = toModelSpace(latentFormat, spreadOverBatch(fitted, rows));
      if (!withMask) return picture;
      const mask = withOneChannel(concatMask ?? noiseMask ?? ones([rows, 1, height, width]));
      const target = { height: height * CELL, width: width * CELL, crop: 'center' } as const;
      const cells = cellsOf(upscaleLatent(mask, 'bilinear', target));
      return concatChannels(picture, spreadOverBatch(cells, rows));
    },
  };
}

function ones(shape: readonly number[]): Tensor {
  const full = tensor(shape);
  full.data.fill(1);
  return full;
}

/** N×H×W or N×C×H×W as N×1×H×W, the mean over channels. */
function withOneChannel({ shape, data }: Tensor): Tensor {
  const [height = 1, width = 1] = shape.slice(-2);
  const channels = shape.length === 4 ? shape[1]! : 1;
  const rows = data.length / (channels * height * width);
  if (channels === 1) return tensor([rows, 1, height, width], data);
  const mean = tensor([rows, 1, height, width]);
  const area = height * width;
  for (let at = 0; at < mean.data.length; at++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum = Math.fround(sum + data[(Math.floor(at / area) * channels + channel) * area + (at % area)]!);
    }
    mean.data[at] = sum / channels;
  }
  return mean;
}

/** N×1×(8h)×(8w) → N×64×h×w. */
function cellsOf({ shape, data }: Tensor): Tensor {
  const [rows = 1, , fullHeight = 1, fullWidth = 1] = shape;
  const [height, width] = [fullHeight / CELL, fullWidth / CELL];
  const cells = tensor([rows, CELL * CELL, height, width]);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let cell = 0; cell < CELL * CELL; cell++) {
      const [dy, dx] = [Math.floor(cell / CELL), cell % CELL];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, at++) {
          cells.data[at] = data[(row * fullHeight + y * CELL + dy) * fullWidth + x * CELL + dx]!;
        }
      }
    }
  }
  return cells;
}
