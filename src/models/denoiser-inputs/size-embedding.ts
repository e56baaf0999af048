import { tensor, type Tensor } from '../../compute/tensor.js';
import type { ConditioningEntry } from '../denoiser/conditioning.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { ModelError } from '../model-error.js';
import { noisedPictures } from './picture-embedding.js';
import { timestepEmbedding } from '../denoiser/timestep-embedding.js';

/** How many numbers are embedded. */
const NUMBERS = { 'target size': 6, 'aesthetic score': 5 } as const;
/** Width of the embedding of each number. */
const numberWidth = 256;

export interface SizeEmbeddingOptions {
  /** For messages. */
  readonly family: string;
  /** Of the whole input. */
  readonly width: number;
  /** What follows the picture's size and crop: the size that it was resized to, or how beautiful it is. */
  readonly last: 'target size' | 'aesthetic score';
}

/**
 * SDXL's label input `adm`, N×A: the pooled text, then sizes in pixels, each number embedded in 256 values (ComfyUI
 * comfy/model_base.py, SDXL.encode_adm and SDXLRefiner.encode_adm). The latent's size is taken where the entry names none. Preparing it
 * throws `ModelError` when the entry has no pooled text, or one of another width.
 */
export function sizeEmbedding({ family, width: total, last }: SizeEmbeddingOptions): DenoiserInput {
  return {
    name: 'adm',
    kind: 'rows',
    prepare(entry, { role, latent, latentFormat: { downscale }, seed }) {
      const given = pooledOf(entry, total - NUMBERS[last] * numberWidth, seed);
      if (given === undefined) {
        throw new ModelError(
          `this ${family} model needs a prompt's pooled text, the ${role} conditioning has none: encode it with the checkpoint's own text encoder`,
        );
      }
      const [latentHeight = 1, latentWidth = 1] = latent.shape.slice(-2);
      const {
        height = latentHeight * downscale,
        width = latentWidth * downscale,
        cropHeight = 0,
        cropWidth = 0,
        targetHeight = height,
        targetWidth = width,
        aestheticScore = role === 'negative' ? 2.5 : 6,
      } = entry;
      const numbers = last === 'target size' ? [targetHeight, targetWidth] : [aestheticScore];
      const sizes = timestepEmbedding([height, width, cropHeight, cropWidth, ...numbers], numberWidth).data;

      const [rows = 1, pooledWidth = 0] = given.shape;
      if (pooledWidth + sizes.length !== total) {
        throw new ModelError(
          `this ${family} model takes a pooled text of width ${total - sizes.length}, the ${role} conditioning's has ${pooledWidth}: encode it with the checkpoint's own text encoder`,
        );
      }
      const embedding = tensor([rows, total]);
      for (let row = 0; row < rows; row++) {
        const pooled = given.data.subarray(row * pooledWidth, (row + 1) * pooledWidth);
        embedding.data.set(pooled, row * total);
        embedding.data.set(sizes, row * total + pooledWidth);
      }
      return embedding;
    },
  };
}

/** The pooled text; an encoded picture takes its place (sdxl_pooled). */
function pooledOf({ pooled, pictures }: ConditioningEntry, width: number, seed: bigint): Tensor | undefined {
  if (pictures === undefined) return pooled;
  const { data } = noisedPictures(pictures, { width, seed, merge: 0 });
  return tensor([1, width], data.subarray(0, width));
}
