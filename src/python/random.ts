/**
 * Python's `random.Random` (CPython Lib/random.py, Modules/_randommodule.c): the Mersenne Twister MT19937, seeded by whole numbers, so that nodes
 * that choose by a seed choose as they do in Python.
 */

import { MersenneTwister } from './mersenne-twister.js';

/** CPython's random.Random, number for number. */
export class PythonRandom {
  readonly #words: MersenneTwister;

  /** `random.seed(seed)`: of a whole number its sign doesn't count. */
  constructor(seed: bigint | number) {
    let left = BigInt(seed);
    if (left < 0n) left = -left;
    const key: number[] = [];
    for (; left > 0n; left >>= 32n) key.push(Number(left & 0xffffffffn));
    this.#words = MersenneTwister.ofKey(key.length === 0 ? [0] : key);
  }

  /** `random()`: in [0, 1), of 53 bits. */
  random(): number {
    const [high, low] = [this.#words.next() >>> 5, this.#words.next() >>> 6];
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** `uniform(a, b)`. */
  uniform(a: number, b: number): number {
    return a + (b - a) * this.random();
  }

  /** `getrandbits(bits)`. */
  bits(bits: number): bigint {
    let result = 0n;
    for (let at = 0; at < bits; at += 32) {
      const wanted = Math.min(32, bits - at);
      result |= BigInt(this.#words.next() >>> (32 - wanted)) << BigInt(at);
    }
    return result;
  }

  /** `randrange(count)` of 1 or more. Throws `RangeError` for less. */
  below(count: number): number;
  below(count: bigint): bigint;
  below(count: number | bigint): number | bigint {
    if (count <= 0) throw new RangeError(`can't choose out of ${count}`);
    const bits = count.toString(2).length;
    if (typeof count === 'number' && bits <= 32) {
      for (;;) {
        const drawn = this.#words.next() >>> (32 - bits);
        if (drawn < count) return drawn;
      }
    }
    for (;;) {
      const drawn = this.bits(bits);
      if (drawn < count) return typeof count === 'number' ? Number(drawn) : drawn;
    }
  }

  /** `randint(low, high)`, both included. */
  integer(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** `choice(items)`. Throws `RangeError` for an empty list. */
  choice<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** `choices(items, weights)`, one of them. Throws `RangeError` where the weights come to nothing. */
  weighted<Item>(items: readonly Item[], weights: readonly number[]): Item {
    let total = 0;
    const sums = weights.map((weight) => (total += weight));
    if (!(total > 0)) throw new RangeError('the weights must come to more than 0');
    const drawn = this.random() * total;
    const found = sums.findIndex((sum) => drawn < sum);
    return items[found === -1 ? items.length - 1 : Math.min(found, items.length - 1)]!;
  }

  /** `shuffle(items)`, as a new list. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [result[last], result[other]] = [result[other]!, result[last]!];
    }
    return result;
  }

  /** `sample(items, count)`: `count` of them, none twice. Throws `RangeError` for more than there are. */
  sample<Item>(items: readonly Item[], count: number): Item[] {
    if (count < 0 || count > items.length) {
      throw new RangeError(`can't draw ${count} out of ${items.length}`);
    }
    // A list is copied where it is small, else what was drawn is kept in mind: the two draw differently.
    const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    const result: Item[] = [];
    if (items.length <= setSize) {
      const pool = [...items];
      for (let drawn = 0; drawn < count; drawn++) {
        const at = this.below(items.length - drawn);
        result.push(pool[at]!);
        pool[at] = pool[items.length - drawn - 1]!;
      }
      return result;
    }
    const chosen = new Set<number>();
    while (result.length < count) {
      const at = this.below(items.length);
      if (chosen.has(at)) continue;
      chosen.add(at);
      result.push(items[at]!);
    }
    return result;
  }
}
