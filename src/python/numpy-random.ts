/** What `numpy.random.default_rng(seed)` draws: a PCG64 generator (numpy/random/_generator.pyx, _pcg64.pyx, bit_generator.pyx). */

const MASK_32 = 0xffffffffn;
const MASK_64 = (1n << 64n) - 1n;
const MASK_128 = (1n << 128n) - 1n;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;

/** numpy.random.default_rng(seed): PCG64 and what its Generator makes of it, number for number. */
export class NumpyGenerator {
  private state: bigint;
  private readonly increment: bigint;
  /** The other half of a 64-bit word of which 32 bits were taken. */
  private half: number | undefined;

  /** A seed from 0 up. */
  constructor(seed: bigint) {
    const words = seedWords(seed);
    const whole = (at: number) => (words[at]! << 64n) | words[at + 1]!;
    this.increment = ((whole(2) << 1n) | 1n) & MASK_128;
    this.state = (this.increment + whole(0)) & MASK_128;
    this.step();
  }

  private step(): void {
    this.state = (this.state * MULTIPLIER + this.increment) & MASK_128;
  }

  private next64(): bigint {
    this.step();
    const folded = (this.state >> 64n) ^ (this.state & MASK_64);
    const turn = this.state >> 122n;
    return ((folded >> turn) | (folded << ((64n - turn) & 63n))) & MASK_64;
  }

  private next32(): number {
    const kept = this.half;
    if (kept !== undefined) {
      this.half = undefined;
      return kept;
    }
    const word = this.next64();
    this.half = Number(word >> 32n);
    return Number(word & MASK_32);
  }

  /** From 0 to 1, 1 not included. */
  random(): number {
    return Number(this.next64() >> 11n) * 2 ** -53;
  }

  /** A whole number from `low` to below `high`, less than 2³² apart. Throws `RangeError` where there is none. */
  integers(low: number, high: number): number {
    if (low >= high) throw new RangeError(`no whole number lies from ${low} to below ${high}`);
    const count = high - low;
    if (count === 1) return low;
    // Lemire's method: the upper half of a product, unless its lower half lies where some numbers would come more often.
    const threshold = (2 ** 32 - count) % count;
    for (;;) {
      const product = BigInt(this.next32()) * BigInt(count);
      if (Number(product & MASK_32) >= threshold) return low + Number(product >> 32n);
    }
  }

  /** One of a list. Throws `RangeError` for an empty one. */
  choice<Item>(items: readonly Item[]): Item {
    return items[this.integers(0, items.length)]!;
  }

  /** `count` different ones of a list, by their weights, which are shares of 1. Throws `RangeError` where there aren't as many. */
  weightedChoices<Item>(items: readonly Item[], shares: readonly number[], count: number): Item[] {
    if (shares.filter((share) => share > 0).length < count) {
      throw new RangeError(`${count} can't be chosen: fewer have a weight above 0`);
    }
    const left = [...shares];
    const found: number[] = [];
    while (found.length < count) {
      const draws = Array.from({ length: count - found.length }, () => this.random());
      for (const index of found) left[index] = 0;
      let sum = 0;
      const sums = left.map((share) => (sum += share));
      const fresh = draws.map((draw) => firstAbove(sums, sum, draw));
      found.push(...new Set(fresh));
    }
    return found.map((index) => items[index]!);
  }

  /** Shuffles a list in place. */
  shuffle(items: unknown[]): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.interval(last);
      [items[last], items[other]] = [items[other], items[last]];
    }
  }

  /** From 0 to `most`, both included: as many bits as it has, drawn until they aren't more. */
  private interval(most: number): number {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (this.next32() & mask) >>> 0;
      if (value <= most) return value;
    }
  }
}

/** `np.searchsorted(sums / sum, draw, side='right')`. */
function firstAbove(sums: readonly number[], sum: number, draw: number): number {
  const index = sums.findIndex((each) => each / sum > draw);
  return index === -1 ? sums.length : index;
}

const POOL = 4;

/** `SeedSequence(seed).generate_state(4, uint64)`. */
function seedWords(seed: bigint): bigint[] {
  const entropy: number[] = [];
  for (let rest = seed; rest > 0n; rest >>= 32n) entropy.push(Number(rest & MASK_32));
  if (entropy.length === 0) entropy.push(0);
  let hash = 0x43b0d7e5;
  const hashed = (value: number): number => {
    const mixed = (value ^ hash) >>> 0;
    hash = Math.imul(hash, 0x931e8875) >>> 0;
    const product = Math.imul(mixed, hash) >>> 0;
    return (product ^ (product >>> 16)) >>> 0;
  };
  const mixed = (x: number, y: number): number => {
    const difference = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (difference ^ (difference >>> 16)) >>> 0;
  };
  const pool = Array.from({ length: POOL }, (_, at) => hashed(entropy[at] ?? 0));
  for (let from = 0; from < POOL; from++) {
    for (let to = 0; to < POOL; to++) {
      if (from !== to) pool[to] = mixed(pool[to]!, hashed(pool[from]!));
    }
  }
  for (const word of entropy.slice(POOL)) {
    for (let to = 0; to < POOL; to++) pool[to] = mixed(pool[to]!, hashed(word));
  }
  let output = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, at) => {
    const value = (pool[at % POOL]! ^ output) >>> 0;
    output = Math.imul(output, 0x58f38ded) >>> 0;
    const product = Math.imul(value, output) >>> 0;
    return (product ^ (product >>> 16)) >>> 0;
  });
  return Array.from({ length: 4 }, (_, at) => (BigInt(words[at * 2 + 1]!) << 32n) | BigInt(words[at * 2]!));
}
