/** MT19937, Matsumoto and Nishimura's generator: words of 32 bits (mt19937ar.c). */
const LENGTH = 624;
const MIDDLE = 397;
const FIRST_OF_KEYS = 19_650_218;
const HIGHEST_BIT = 2 ** 31;

export class MersenneTwister {
  readonly #state = new Uint32Array(LENGTH);
  #index = LENGTH;

  /** `init_genrand` of a seed from 0 to below 2³². */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let at = 1; at < LENGTH; at++) state[at] = Math.imul(1_812_433_253, this.#mixed(at)) + at;
  }

  /** `init_by_array` of words, one at least. */
  static ofKey(key: readonly number[]): MersenneTwister {
    const twister = new MersenneTwister(FIRST_OF_KEYS);
    const state = twister.#state;
    let [at, from] = [1, 0];
    const next = () => {
      if (++at < LENGTH) return;
      state[0] = state[LENGTH - 1]!;
      at = 1;
    };
    for (let left = Math.max(LENGTH, key.length); left > 0; left--) {
      state[at] = (state[at]! ^ Math.imul(twister.#mixed(at), 1_664_525)) + key[from]! + from;
      next();
      from = (from + 1) % key.length;
    }
    for (let left = LENGTH - 1; left > 0; left--) {
      state[at] = (state[at]! ^ Math.imul(twister.#mixed(at), 1_566_083_941)) - at;
      next();
    }
    state[0] = HIGHEST_BIT;
    return twister;
  }

  /** A word of 32 bits. */
  next(): number {
    if (this.#index === LENGTH) this.#refill();
    let word = this.#state[this.#index++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #mixed(at: number): number {
    return this.#state[at - 1]! ^ (this.#state[at - 1]! >>> 30);
  }

  #refill(): void {
    const state = this.#state;
    for (let at = 0; at < LENGTH; at++) {
      const joined = (state[at]! & 0x80000000) | (state[(at + 1) % LENGTH]! & 0x7fffffff);
      state[at] = state[(at + MIDDLE) % LENGTH]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }
}
