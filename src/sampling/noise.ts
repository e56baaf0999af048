import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import { TorchGenerator } from '../native/addon.js';

/** What a NOISE link carries: the noise that sampling starts from. Samplers seed their own noise with `seed`, too. */
export interface NoiseSource {
  readonly seed: bigint;
  /** Starts from the latent as it is. */
  readonly disabled?: boolean;
}

/** A source's noise for a latent of `shape`; `batchIndex` as in `prepareNoise`. */
export function drawNoise(
  { seed, disabled = false }: NoiseSource,
  shape: readonly number[],
  batchIndex?: readonly number[],
): Tensor {
  return disabled ? tensor(shape) : prepareNoise(shape, seed, batchIndex);
}

/**
 * The noise that sampling starts from: torch's `randn` of the latent's shape. With `batchIndex`, each row is the draw of
 * that number, as it would come in a larger batch (ComfyUI comfy/sample.py, prepare_noise).
 * Throws `RangeError` when the indices aren't one a row.
 */
export function prepareNoise(shape: readonly number[], seed: bigint, batchIndex?: readonly number[]): Tensor {
  const generator = new TorchGenerator(seed);
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
