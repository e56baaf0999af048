/** Pictures that stand where a pooled text would: unCLIP's, and SDXL's where an encoded picture takes the pooled text's place. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { TorchGenerator } from '../../native/addon.js';
import type { PicturePrompt } from '../denoiser/conditioning.js';
import type { DenoiserInput } from '../denoiser/denoiser-input.js';
import { timestepEmbedding } from '../denoiser/timestep-embedding.js';
import { ModelError } from '../model-error.js';

const { fround, cos, PI, sqrt } = Math;

const LEVELS = 1000;
/** Added noise once more, where several pictures were summed (unclip_noise_augment_merge). */
const MERGE_NOISE = 0.05;

/** The input `adm` of an SD 2.1 unCLIP model, N×2D: a picture's embedding, noised, and how much; zeros without one (ComfyUI comfy/model_base.py, SD21UNCLIP). */
export function unclipEmbedding(admChannels: number): DenoiserInput {
  return {
    name: 'adm',
    kind: 'rows',
    prepare({ pictures }, { seed }) {
      if (pictures === undefined) return tensor([1, admChannels]);
      return noisedPictures(pictures, { width: admChannels / 2, seed, merge: MERGE_NOISE });
    },
  };
}

export interface NoisedPictures {
  /** Of an embedding. */
  readonly width: number;
  /** The run's. */
  readonly seed: bigint;
  /** Share of the noise levels that a sum of several is noised by. */
  readonly merge: number;
}

/**
 * 1×2·width: the embeddings of `pictures`, noised, and the noise level's own, weighted and summed (unclip_adm). Throws `ModelError` for
 * embeddings of another width.
 */
export function noisedPictures(
  pictures: readonly PicturePrompt[],
  { width, seed, merge }: NoisedPictures,
): Tensor {
  // Each picture begins torch's global generator anew; the sum goes on where the last one left it.
  const begin = () => new TorchGenerator(BigInt.asUintN(64, seed - 10n));
  const parts = pictures.flatMap(({ embeds, strength, noise }) => {
    const [rows = 0, own = 0] = embeds.shape;
    if (embeds.shape.length !== 2 || own !== width) {
      throw new ModelError(
        `this model takes pictures as ${width} numbers, these are [${embeds.shape.join(', ')}]: encode them with the image encoder that the model was made for`,
      );
    }
    const level = levelOf(noise);
    const weight = fround(strength);
    return Array.from({ length: rows }, (_, row) => {
      const embedding = embeds.data.subarray(row * width, (row + 1) * width);
      return noised(embedding, level, begin().randn(width)).map((value) => value * weight);
    });
  });
  if (parts.length === 1) return tensor([1, 2 * width], parts[0]);
  const sum = parts.reduce((total, part) => total.map((value, index) => value + part[index]!));
  const generator = begin();
  generator.randn(width);
  return tensor([1, 2 * width], noised(sum.subarray(0, width), levelOf(merge), generator.randn(width)));
}

function levelOf(share: number): number {
  return roundHalfEven((LEVELS - 1) * share);
}

/** The embedding with noise of a level, and the level (CLIPEmbeddingNoiseAugmentation). */
function noised(embedding: Float32Array, level: number, noise: Float32Array): Float32Array {
  const kept = keptShare(level);
  const [signal, spread] = [fround(sqrt(kept)), fround(sqrt(1 - kept))];
  const width = embedding.length;
  const result = new Float32Array(2 * width);
  embedding.forEach((value, index) => {
    result[index] = fround(signal * value) + fround(spread * noise[index]!);
  });
  result.set(timestepEmbedding([level], width).data, width);
  return result;
}

/** The product of 1 − β up to a level of the schedule squaredcos_cap_v2. */
function keptShare(level: number): number {
  const bar = (time: number) => cos((((time + 0.008) / 1.008) * PI) / 2) ** 2;
  let product = 1;
  for (let step = 0; step <= level; step++) {
    product *= 1 - Math.min(1 - bar((step + 1) / LEVELS) / bar(step / LEVELS), 0.999);
  }
  return product;
}
