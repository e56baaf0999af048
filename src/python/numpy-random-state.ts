/** What `numpy.random.seed(seed)` lets NumPy's older functions draw (numpy/random/mtrand.pyx): MT19937, bounded by masks. */
import { MersenneTwister } from './mersenne-twister.js';

/** numpy.random.RandomState(seed), number for number. */
export class NumpyRandomState {
  private readonly words: MersenneTwister;

  /** A seed from 0 to below 2³². */
  constructor(seed: number) {
    this.words = new MersenneTwister(seed);
  }

  /** A whole number from 0 to below `count`, which is from 1 to 2³². */
  below(count: number): number {
    return this.interval(count - 1);
  }

  /** The numbers from 0 to below `count`, shuffled. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, index) => index);
    for (let last = count - 1; last > 0; last--) {
      const other = this.interval(last);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    return order;
  }

  /** From 0 to `most`, both included: as many bits as it has, drawn until they aren't more. */
  private interval(most: number): number {
    if (most === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (this.words.next() & mask) >>> 0;
      if (value <= most) return value;
    }
  }
}
