import { elementCount, tensor, type Tensor } from '../compute/tensor.js';
import type { RandomSource } from '../models/denoiser/denoiser.js';
import { TorchGenerator } from '../native/addon.js';

/** What a NOISE link carries: the noise that sampling starts from. Samplers seed their own noise with `seed`, too. */
export interface InitialNoise {
  readonly seed: bigint;
  /** Starts from the latent as it is. */
  readonly disabled?: boolean;
}

/** Noise, and the generator that goes on from there: torch's global one, on which HyperTile and token merging draw. */
export interface DrawnNoise {
  readonly noise: Tensor;
  readonly random: RandomStream;
}

/** A generator that can be taken up from where it is, as often as wanted. */
export class RandomStream implements RandomSource {
  private source: TorchGenerator | undefined;
  private drawn = 0;
  /** Words that are passed over once something is drawn again. */
  private passed = 0;

  /** `begin` makes a generator where the stream begins; it is called when something is drawn. */
  constructor(private readonly begin: () => TorchGenerator) {}

  random32(): number {
    const source = this.caughtUp();
    this.drawn++;
    return source.random32();
  }

  /** `torch.randn`'s values; 16 or more. */
  normals(count: number): Float32Array {
    const source = this.caughtUp();
    this.drawn += wordsOfNormals(count);
    return source.randn(count);
  }

  /** Goes on as if `torch.randn` had drawn `count` values, 16 or more (ATen/native/cpu/DistributionTemplates.h, normal_fill). */
  passNormals(count: number): void {
    this.passed += wordsOfNormals(count);
  }

  private caughtUp(): TorchGenerator {
    this.source ??= this.begin();
    for (; this.passed > 0; this.passed--) {
      this.drawn++;
      this.source.random32();
    }
    return this.source;
  }

  /** A stream that begins where this one is now. */
  resumed(): RandomStream {
    const { begin } = this;
    const drawn = this.drawn + this.passed;
    return new RandomStream(() => {
      const source = begin();
      for (let i = 0; i < drawn; i++) source.random32();
      return source;
    });
  }
}

/** The last 16 are drawn anew where they don't fill a block. */
function wordsOfNormals(count: number): number {
  return count + (count % 16 === 0 ? 0 : 16);
}

/**
 * A source's noise for a latent of `shape`; `batchIndex` as in `prepareNoise`. ComfyUI's generator is a global one: where the
 * source is disabled it goes on from where the last sampling ended, which is `last`; without that, this one begins at the seed.
 */
export function drawNoise(
  { seed, disabled = false }: InitialNoise,
  shape: readonly number[],
  batchIndex?: readonly number[],
  last?: RandomStream,
): DrawnNoise {
  if (disabled) {
    return {
      noise: tensor(shape),
      random: last?.resumed() ?? new RandomStream(() => new TorchGenerator(seed)),
    };
  }
  const noise = prepareNoise(shape, seed, batchIndex);
  const random = new RandomStream(() => {
    const generator = new TorchGenerator(seed);
    noiseFrom(generator, shape, batchIndex);
    return generator;
  });
  return { noise, random };
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
