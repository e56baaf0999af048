/** Draws that are the same for the same seed (Chris Doty-Humphrey's sfc32, PractRand). */
export class Draws {
  private a: number;
  private b = 0x9e3779b9;
  private c = 0x243f6a88;
  private counter = 1;

  constructor(seed: number) {
    this.a = seed >>> 0;
    for (let round = 0; round < 16; round++) this.uniform();
  }

  /** 0 to below 1, in 32 bits. */
  uniform(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  /** With a coefficient of variation; 0 gives the mean itself. */
  lognormal(mean: number, variation: number): number {
    if (variation === 0) return mean;
    const variance = Math.log(1 + variation * variation);
    const normal = Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
    return mean * Math.exp(Math.sqrt(variance) * normal - variance / 2);
  }
}
