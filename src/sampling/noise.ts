import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import type { RandomSource } from '../models/unet/variant.js';
import { TorchGenerator } from '../native/addon.js';

/** What a NOISE link carries: the noise that sampling starts from. Samplers seed their own noise with `seed`, too. */
export interface NoiseSource {
  readonly seed: bigint;
  /** Starts from the latent as it is. */
  readonly disabled?: boolean;
}

/** Noise, and the generator that goes on from there: torch's global one, on which HyperTile and token merging draw. */
export interface DrawnNoise {
  readonly noise: Tensor;
  readonly random: RandomSource;
}

/**
 * A source's noise for a latent of `shape`; `batchIndex` as in `prepareNoise`. Where the source is disabled, ComfyUI's
 * generator goes on from wherever it was; this one begins at the seed.
 */
export function drawNoise(
  { seed, disabled = false }: NoiseSource,
  shape: readonly number[],
  batchIndex?: readonly number[],
): DrawnNoise {
  const random = new TorchGenerator(seed);
  return { noise: disabled ? tensor(shape) : noiseFrom(random, shape, batchIndex), random };
}

/**
 * The noise that sampling starts from: torch's `randn` of the latent's shape. With `batchIndex`, each row is the draw of
 * that number, as it would come in a larger batch (ComfyUI comfy/sample.py, prepare_noise).
 * Throws `RangeError` when the indices aren't one a row.
 */
export function prepareNoise(shape: readonly number[], seed: bigint, batchIndex?: readonly number[]): Tensor {
  return noiseFrom(new TorchGenerator(seed), shape, batchIndex);
}

function noiseFrom(
  generator: TorchGenerator,
  shape: readonly number[],
  batchIndex: readonly number[] | undefined,
): Tensor {
  if (batchIndex === undefined) return tensor(shape, generator.randn(elementCount(shape)));
  const [rows = 0, ...rowShape] = shape;
  if (batchIndex.length !== rows) {
    throw new RangeError(`the latent has ${rows} rows and ${batchIndex.length} batch indices`);
  }
  const wanted = new Set(batchIndex);
  const rowLength = elementCount(rowShape);
  const draws = new Map<number, Float32Array>();
  for (let index = 0; index <= Math.max(...batchIndex); index++) {
    const draw = generator.randn(rowLength);
    if (wanted.has(index)) draws.set(index, draw);
  }
  const noise = tensor(shape);
  batchIndex.forEach((index, row) => {
    noise.data.set(draws.get(index)!, row * rowLength);
  });
  return noise;
}
