/** numpy.random.default_rng: PCG64 seeded by a SeedSequence (numpy/random/bit_generator.pyx, _pcg64.pyx). */

const MASK_128 = (1n << 128n) - 1n;
const MASK_64 = (1n << 64n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** Uniform numbers in [0, 1), of a seed of 0 to 2^64 − 1. */
export class NumpyRandom {
  private state: bigint;
  private readonly increment: bigint;

  constructor(seed: bigint) {
    const words = seedWords(seed);
    const pair = (at: number) => (words[at]! << 64n) | words[at + 1]!;
    this.increment = ((pair(2) << 1n) | 1n) & MASK_128;
    this.state = (this.increment + pair(0)) & MASK_128;
    this.step();
  }

  /** `Generator.random`. */
  next(): number {
    this.step();
    const folded = (this.state >> 64n) ^ (this.state & MASK_64);
    const turn = this.state >> 122n;
    const bits = ((folded >> turn) | (folded << (64n - turn))) & MASK_64;
    return Number(bits >> 11n) * 2 ** -53;
  }

  private step(): void {
    this.state = (this.state * MULTIPLIER + this.increment) & MASK_128;
  }
}

/** SeedSequence(seed).generate_state(4, uint64), with a pool of four words. */
function seedWords(seed: bigint): readonly bigint[] {
  const entropy = [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)];
  let hash = 0x43b0d7e5;
  const hashed = (value: number): number => {
    const mixed = value ^ hash;
    hash = Math.imul(hash, 0x931e8875);
    const product = Math.imul(mixed, hash);
    return (product ^ (product >>> 16)) >>> 0;
  };
  const pool = [0, 1, 2, 3].map((at) => hashed(entropy[at] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let into = 0; into < 4; into++) {
      if (from === into) continue;
      const mixed = Math.imul(pool[into]!, 0xca01f9dd) - Math.imul(hashed(pool[from]!), 0x4973f715);
      pool[into] = (mixed ^ (mixed >>> 16)) >>> 0;
    }
  }
  let turn = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, at) => {
    const mixed = pool[at % 4]! ^ turn;
    turn = Math.imul(turn, 0x58f38ded);
    const product = Math.imul(mixed, turn);
    return BigInt((product ^ (product >>> 16)) >>> 0);
  });
  return [0, 2, 4, 6].map((at) => words[at]! | (words[at + 1]! << 32n));
}
