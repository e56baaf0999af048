import { describe, expect, it } from 'vitest';
import { NoiseLevels } from '../../../src/native/addon.js';
import { readTensors } from '../../compute/fixtures.js';
import { runExactly } from './exact-denoiser.js';

/** tools/reference/sampler_bits.py */
const cases = readTensors('test/fixtures/native/sampler-bits.safetensors') as unknown as Readonly<
  Record<string, { readonly data: Float32Array }>
>;
const levels = new NoiseLevels('discrete', 0.00085, 0.012, false);

/** Where both are no number they agree. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  expected.forEach((value, index) => {
    if (Number.isNaN(value) && Number.isNaN(actual[index])) return;
    difference += (actual[index]! - value) ** 2;
    norm += value ** 2;
  });
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}

/**
 * What ComfyUI on a processor without AVX-512 is off by, where that is more than 1e-6: systems near singular, steps that depend on
 * their error.
 */
const spread: Readonly<Record<string, number>> = {
  'deis edm.3': 1.4e-6,
  'deis edm.7': 2.7e-6,
  'dpm_2 clamped': 2e-6,
  'dpm_adaptive clamped': 4.4e-4,
  'dpm_adaptive equal': 8e-5,
  'dpmpp_sde clamped': 7.8e-6,
  'sa_solver clamped': 2e-6,
  'sa_solver_pece clamped': 2.7e-6,
  'uni_pc rising': 1.4e-6,
  'uni_pc_bh2 rising': 2e-6,
};

describe('samplers', () => {
  const keys = Object.keys(cases).filter((key) => key.startsWith('{'));
  it.each(keys)('round as torch does: %s', (key) => {
    const { sampler, sigmas: name } = JSON.parse(key) as {
      readonly sampler: string;
      readonly sigmas: string;
    };
    const { data } = cases[key]!;
    const count = data.length / 3;
    const [x, result, shown] = [0, 1, 2].map((row) => data.slice(row * count, (row + 1) * count));
    const sigmas = cases[`sigmas.${name}`]!.data;
    const run = runExactly(sampler, { x: x!, sigmas, seed: 77n, levels });
    const limit = spread[`${sampler} ${name}`] ?? 1e-6;
    expect(relativeError(run.result, result!)).toBeLessThan(limit);
    // dpm_adaptive takes no step where it starts at its end.
    expect(relativeError(run.denoised ?? x!, shown!)).toBeLessThan(limit);
  });
});
