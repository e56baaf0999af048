import { tensor, type Tensor } from '../compute/tensor.js';
import type { ConditioningEntry } from '../models/conditioning.js';
import type { DiffusionModel } from '../models/diffusion-model.js';
import { ModelError } from '../models/model-error.js';
import { timestepEmbedding } from '../models/unet/timestep-embedding.js';

/** Width of the embedding of each number. */
const numberWidth = 256;

/** Whose prompt an entry is; it sets the refiner's default aesthetic score. */
export type PromptRole = 'positive' | 'negative';

/**
 * SDXL's label input, N×A: the pooled text, then sizes in pixels, each number embedded in 256 values (ComfyUI
 * comfy/model_base.py, SDXL.encode_adm and SDXLRefiner.encode_adm). `latentHeight` and `latentWidth` are the sizes where the
 * entry names none. Nothing for models without a label input. Throws `ModelError` when the entry has no pooled text.
 */
export function sizeEmbedding(
  { family, unet, latentFormat }: DiffusionModel,
  entry: ConditioningEntry,
  role: PromptRole,
  latentHeight: number,
  latentWidth: number,
): Tensor | undefined {
  if (unet.admChannels === undefined) return undefined;
  if (entry.pooled === undefined) {
    throw new ModelError(
      `this ${family} model needs a prompt's pooled text, the ${role} conditioning has none: encode it with the checkpoint's own text encoder`,
    );
  }
  const {
    height = latentHeight * latentFormat.downscale,
    width = latentWidth * latentFormat.downscale,
    cropHeight = 0,
    cropWidth = 0,
    targetHeight = height,
    targetWidth = width,
    aestheticScore = role === 'negative' ? 2.5 : 6,
  } = entry;
  const last = family === 'sdxl_refiner' ? [aestheticScore] : [targetHeight, targetWidth];
  const sizes = timestepEmbedding([height, width, cropHeight, cropWidth, ...last], numberWidth).data;

  const [rows = 1, pooledWidth = 0] = entry.pooled.shape;
  const total = pooledWidth + sizes.length;
  if (total !== unet.admChannels) {
    throw new ModelError(
      `this ${family} model takes a pooled text of width ${unet.admChannels - sizes.length}, the ${role} conditioning's has ${pooledWidth}: encode it with the checkpoint's own text encoder`,
    );
  }
  const embedding = tensor([rows, total]);
  for (let row = 0; row < rows; row++) {
    embedding.data.set(entry.pooled.data.subarray(row * pooledWidth, (row + 1) * pooledWidth), row * total);
    embedding.data.set(sizes, row * total + pooledWidth);
  }
  return embedding;
}
