import { describe, expect, it } from 'vitest';
import { BrownianTree, CudaGenerator, philox4x32 } from '../../../src/native/addon.js';
import { readTensors } from '../../compute/fixtures.js';

const golden = readTensors('test/fixtures/native/rng.safetensors');
const { fround } = Math;

describe('BrownianTree', () => {
  // Each is k-diffusion's noise for a step from one sigma to the next, on a tree over [0.03, 14.6].
  const keys = Object.keys(golden).filter((key) => key.startsWith('brownian.'));
  it.each(keys)('makes %s', (key) => {
    const [, seed, from, to] = /^brownian\.(\d+)\.(\d+\.\d+)\.(\d+\.\d+)$/.exec(key)!.map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const tree = new BrownianTree(fround(0.03), fround(14.6), 256, BigInt(seed));
    // Elsewhere first: the path must not depend on it.
    tree.increment(1, 5);
    const increment = tree.increment(fround(to), fround(from));
    const deviation = fround(Math.sqrt(fround(fround(from) - fround(to))));
    expect(increment.map((value) => -value / deviation)).toEqual(golden[key]!.data);
  });

  it('adds up over neighbouring intervals, and ends with its range', () => {
    const tree = new BrownianTree(0, 1, 4, 3n);
    const whole = tree.increment(0, 1);
    const parts = [tree.increment(0, 0.3), tree.increment(0.3, 0.30001), tree.increment(0.30001, 1)];
    for (const index of [0, 1, 2, 3]) {
      const sum = parts.reduce((total, part) => total + part[index]!, 0);
      expect(sum).toBeCloseTo(whole[index]!, 5);
    }
    expect(tree.increment(-5, 7)).toEqual(whole);
    expect([...tree.increment(0.5, 0.5)]).toEqual([0, 0, 0, 0]);
    expect(() => tree.increment(0.6, 0.5)).toThrow(RangeError);
    expect(() => new BrownianTree(1, 0, 4, 3n)).toThrow(RangeError);
  });
});

describe('philox4x32', () => {
  // Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, result.
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('maps %s under %s to %s', (counter, key, result) => {
    const words = (text: string) => Uint32Array.from(text.split(' '), (word) => Number.parseInt(word, 16));
    expect(philox4x32(words(counter), words(key))).toEqual(words(result));
  });
});

/** The normal `word` of a thread's call of curand_normal4, from its definition (curand_normal.h, _curand_box_muller). */
function curandNormal(seed: bigint, thread: number, call: number, word: number): number {
  const key = Uint32Array.of(Number(seed & 0xffffffffn), Number(seed >> 32n));
  const words = philox4x32(Uint32Array.of(call, 0, thread, 0), key);
  const [x, y] = word < 2 ? [words[0]!, words[1]!] : [words[2]!, words[3]!];
  const radius = Math.sqrt(-2 * Math.log((x + 0.5) * 2 ** -32));
  const angle = (y + 0.5) * 2 ** -32 * 2 * Math.PI;
  return radius * (word % 2 === 0 ? Math.sin(angle) : Math.cos(angle));
}

describe('CudaGenerator', () => {
  it('makes what torch.randn makes on a GPU for seed 0', () => {
    // torch.manual_seed(0); torch.randn(3, 4, device='cuda')
    const expected = [
      -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
      -1.07454231, -0.36314407, -1.67105067, 2.26550497,
    ];
    const values = new CudaGenerator(0n).randn(12);
    for (const [index, value] of expected.entries()) expect(values[index]).toBeCloseTo(value, 5);
  });

  it('gives each thread four normals a call, a grid apart, and moves on between calls', () => {
    const wide = new CudaGenerator(9n, 1024);
    const narrow = new CudaGenerator(9n, 256);
    const first = wide.randn(256);
    // With one block, the first normal of each thread comes first, the second a block later.
    const all = narrow.randn(2048);
    expect([...all.subarray(0, 256)]).toEqual([...first]);
    // Elements 1024 on are the threads' second call: what a new tensor would get.
    expect([...all.subarray(1024, 1280)]).toEqual([...wide.randn(256)]);
    expect(new Set(all).size).toBeGreaterThan(2000);
    expect(() => new CudaGenerator(1n, 255)).toThrow(RangeError);
  });

  // Multiprocessors times the threads that each holds at once.
  it.each([
    ['H100 and H200', 132, 2048],
    ['A100', 108, 2048],
    ['RTX 4090', 128, 1536],
    ['GB10', 48, 1536],
    ['RTX 3060', 28, 1536],
    ['RTX 2060', 30, 1024],
  ])('is laid out as on an %s, of %i × %i threads', (_, multiprocessors, threadsOfEach) => {
    const resident = multiprocessors * threadsOfEach;
    const seed = 0x9e3779b97f4a7c15n;
    const generator = new CudaGenerator(seed, resident);
    let offset = 0;
    // Latents of 1024×1024 and, in a batch, of 768×512; one value; up to the grid, past it, past four of it.
    const counts = [
      4 * 128 * 128,
      3 * 4 * 96 * 64,
      1,
      257,
      resident - 1,
      resident,
      resident + 1,
      4 * resident,
      4 * resident + 1,
    ];
    for (const count of counts) {
      const values = generator.randn(count);
      const blocks = Math.min(Math.floor(resident / 256), Math.ceil(count / 256));
      const grid = blocks * 256;
      const places = [0, 1, 255, 256, grid - 1, grid, 2 * grid + 77, 4 * grid - 1, 4 * grid, count - 1];
      for (const index of places.filter((place) => place < count)) {
        const call = Math.floor(index / (4 * grid));
        const word = Math.floor(index / grid) % 4;
        expect(values[index]).toBeCloseTo(curandNormal(seed, index % grid, offset / 4 + call, word), 5);
      }
      // Each call of a thread passes four outputs.
      offset += 4 * Math.ceil(count / (4 * grid));
    }
  });

  it('is normal', () => {
    const values = new CudaGenerator(2n ** 63n + 1n).randn(300_000);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.01);
  });
});
