import { describe, expect, it } from 'vitest';
import { NoiseLevels, SamplerRun, TorchGenerator } from '../../src/native/addon.js';
import { drawNoise } from '../../src/sampling/noise.js';

describe('RandomStream', () => {
  // 4×3×2 and 4×4×4: with values beyond the last block of 16 and without.
  it.each([24, 64])('passes over %i normals as a generator that draws them', (count) => {
    const generator = new TorchGenerator(7n);
    const noise = generator.randn(count);
    const drawn = drawNoise({ seed: 7n }, [1, 4, count / 4, 1]);
    expect([...drawn.noise.data]).toEqual([...noise]);
    generator.randn(count);
    drawn.random.passNormals(count);
    const resumed = drawn.random.resumed();
    const next = [generator.random32(), generator.random32()];
    expect([drawn.random.random32(), drawn.random.random32()]).toEqual(next);
    expect([resumed.random32(), resumed.random32()]).toEqual(next);
  });
});

describe('SamplerRun', () => {
  const levels = new NoiseLevels('discrete', 0.00085, 0.012, false);
  const sigmas = Float32Array.of(10, 4, 1, 0);

  function drawsAtEachRequest(name: string, options = {}): number[] {
    const run = new SamplerRun(name, { x: new Float32Array(16), sigmas, seed: 1n, levels, options });
    const draws: number[] = [];
    while (run.next() !== undefined) {
      draws.push(run.globalDraws);
      run.provide(new Float32Array(16));
    }
    return draws;
  }

  it('counts draws on the global generator, which heunpp2 makes in every step', () => {
    expect(drawsAtEachRequest('heunpp2')).toEqual([1, 1, 1, 2, 2, 3]);
    expect(drawsAtEachRequest('heunpp2', { s_churn: 2 })).toEqual([1, 1, 1, 2, 2, 3]);
    expect(drawsAtEachRequest('euler')).toEqual([0, 0, 0]);
    expect(drawsAtEachRequest('euler', { s_churn: 2, s_tmin: 2 })).toEqual([1, 2, 2]);
    expect(drawsAtEachRequest('euler_ancestral')).toEqual([0, 0, 0]);
  });
});
