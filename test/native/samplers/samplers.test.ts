import { describe, expect, it } from 'vitest';
import { NoiseLevels, SamplerRun, TorchGenerator, samplers } from '../../../src/native/addon.js';
import { findSampler, findScheduler, kSamplerSigmas, samplerNames } from '../../../src/native/samplers.js';
import { readTensors } from '../../compute/fixtures.js';
import { runToy } from './toy-denoiser.js';

type Tensors = Readonly<Record<string, { readonly data: Float32Array }>>;
const golden = readTensors('test/fixtures/native/samplers.safetensors') as unknown as Tensors;
/** tools/reference/samplers.py */
const cases = readTensors('test/fixtures/native/sampler-cases.safetensors') as unknown as Tensors;
const sd = new NoiseLevels('discrete', 0.00085, 0.012, false);

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  expected.forEach((value, index) => {
    difference += (actual[index]! - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** Noise of seed 5 scaled for a full denoise: ComfyUI's noise_scaling with max_denoise. */
function start(sigma: number, count = 256): Float32Array {
  const scale = Math.fround(Math.sqrt(Math.fround(1 + Math.fround(sigma * sigma))));
  return new TorchGenerator(5n).randn(count).map((value) => value * scale);
}

describe('samplers', () => {
  it.each(
    samplerNames
      .filter((name) => golden[`${name}.karras.7`] !== undefined)
      .flatMap((name) => [`${name}.karras.7`, `${name}.normal.10`]),
  )('reproduce %s', (key) => {
    const sigmas = golden[`${key}.sigmas`]!.data;
    const run = runToy(key.split('.')[0]!, {
      x: start(sigmas[0]!),
      sigmas,
      seed: 11n,
      levels: sd,
      noise: 'cpu-0.3.64',
    });
    expect(relativeError(run.result, golden[key]!.data)).toBeLessThan(2e-6);
  });

  const keys = Object.keys(cases).filter((key) => key.startsWith('{'));
  it.each(keys)('follow %s', (key) => {
    const { sampler, sigmas, options } = JSON.parse(key) as {
      readonly sampler: string;
      readonly sigmas: string;
      readonly options: Readonly<Record<string, number | boolean | string>>;
    };
    // The seed has more digits than JSON's numbers.
    const seed = BigInt(/"seed": (\d+)/.exec(key)![1]!);
    const schedule = cases[`sigmas.${sigmas}`]!.data;
    const expected = cases[key]!.data;
    const x = start(schedule[0]!, expected.length);
    const run = runToy(sampler, { x, sigmas: schedule, seed, levels: sd, options });
    expect(relativeError(run.result, expected)).toBeLessThan(1e-5);
  });

  it('start from the golden start', () => {
    expect(
      relativeError(start(golden['euler.karras.7.sigmas']!.data[0]!), golden['x_init.karras.7']!.data),
    ).toBeLessThan(1e-7);
  });

  it('are ComfyUI’s', () => {
    expect(samplers).toHaveLength(44);
    expect(
      samplers.filter((sampler) => sampler.discardsPenultimateSigma).map((sampler) => sampler.name),
    ).toEqual(['dpm_2', 'dpm_2_ancestral', 'uni_pc', 'uni_pc_bh2']);
    expect(samplers.filter((sampler) => sampler.needsUncond).map((sampler) => sampler.name)).toEqual(
      samplerNames.filter((name) => name.endsWith('_cfg_pp')),
    );
    expect(findSampler('ddim').randomInpaintNoise).toBe(true);
  });

  it('name the nearest when one is unknown', () => {
    expect(() => findSampler('eular')).toThrow(
      new RangeError('there is no sampler "eular"; nearest: "euler"'),
    );
    expect(() => findScheduler('karas')).toThrow(/there is no scheduler "karas"; nearest: "karras"/);
  });

  it('leave out the penultimate sigma where ComfyUI does', () => {
    const settings = { scheduler: 'karras', steps: 8 };
    expect([...kSamplerSigmas(sd, { ...settings, sampler: 'dpm_2' })]).toEqual([
      ...sd.schedule('karras', 9).filter((_, index) => index !== 8),
    ]);
    expect([...kSamplerSigmas(sd, { ...settings, sampler: 'ddim' })]).toEqual([...sd.schedule('karras', 8)]);
  });
});

describe('SamplerRun', () => {
  const sigmas = Float32Array.of(10, 4, 1, 0);
  const init = { x: start(10), sigmas, seed: 1n, levels: sd };

  it('asks, counts steps and shows predictions', () => {
    const run = new SamplerRun('heun', init);
    const seen: [number, number][] = [];
    expect(run.denoised).toBeUndefined();
    for (let request = run.next(); request; request = run.next()) {
      expect(request.needsUncond).toBe(false);
      run.provide(new Float32Array(256).fill(request.sigma));
      seen.push([request.sigma, run.step]);
      expect(run.denoised![0]).toBe(sigmas[run.step - 1]);
    }
    expect(seen).toEqual([
      [10, 1],
      [4, 1],
      [4, 2],
      [1, 2],
      [1, 3],
    ]);
    expect(run.totalSteps).toBe(3);
    expect(run.result).toHaveLength(256);
  });

  it('repeats a request until it is answered, and can be given up', () => {
    const run = new SamplerRun('dpmpp_3m_sde', init);
    expect(run.next()!.sigma).toBe(10);
    expect([...run.next()!.x]).toEqual([...init.x]);
    expect(() => run.result).toThrow(/isn't done/);
  });

  it('returns its start when there are no steps', () => {
    for (const name of samplerNames) {
      const run = new SamplerRun(name, { ...init, sigmas: Float32Array.of(3) });
      expect(run.next()).toBeUndefined();
      expect([...run.result]).toEqual([...init.x]);
      expect(() => {
        run.provide(init.x);
      }).toThrow(/asked for nothing/);
    }
  });

  it('refuses wrong settings and answers', () => {
    const refuse = (name: string, change: object) => () => new SamplerRun(name, { ...init, ...change });
    expect(refuse('eular', {})).toThrow(RangeError);
    expect(refuse('euler', { x: new Float32Array() })).toThrow(RangeError);
    expect(refuse('euler', { sigmas: Float32Array.of(NaN, 0) })).toThrow(RangeError);
    expect(refuse('euler', { levels: {} })).toThrow(new TypeError('levels must be NoiseLevels'));
    expect(refuse('euler', { noise: 'tpu' })).toThrow(
      new RangeError('noise must be cpu, cpu-0.3.64 or gpu, got tpu'),
    );
    expect(refuse('lms', { options: { eta: 1 } })).toThrow(
      new RangeError('the sampler lms has no option eta; it has order'),
    );
    expect(refuse('lms', { options: { order: 0 } })).toThrow(RangeError);
    expect(refuse('dpmpp_2m_sde', { options: { solver_type: 'euler' } })).toThrow(
      new RangeError('solver_type must be heun or midpoint, got euler'),
    );
    const run = new SamplerRun('euler_cfg_pp', init);
    expect(run.next()!.needsUncond).toBe(true);
    expect(() => {
      run.provide(new Float32Array(255));
    }).toThrow(new RangeError('denoised must have 256 values, has 255'));
    expect(() => {
      run.provide(new Float32Array(256));
    }).toThrow(new TypeError('uncondDenoised must be a Float32Array'));
    run.provide(new Float32Array(256), new Float32Array(256));
    expect(run.step).toBe(1);
  });
});
