import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  NoiseLevels,
  exponentialSigmas,
  karrasSigmas,
  laplaceSigmas,
  polyexponentialSigmas,
  schedulerNames,
  vpSigmas,
  type SchedulerName,
} from '../../../src/native/addon.js';

type Sigmas = readonly (number | null)[];

/** Python writes NaN, which JSON has no word for. */
function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8').replaceAll('NaN', 'null'));
}

const golden = readJson('test/fixtures/native/sigmas.json') as Record<
  string,
  Sigmas | Record<string, number>
>;
const fixtures = readJson('test/fixtures/native/schedules.json') as {
  readonly schedules: Readonly<Record<string, Sigmas>>;
  readonly beta: Readonly<Record<string, Sigmas>>;
  readonly plain: Readonly<Record<string, Sigmas>>;
  readonly model: Readonly<
    Record<
      string,
      {
        readonly sigmaToTimestep: readonly (readonly [number, number])[];
        readonly timestepToSigma: readonly (readonly [number, number])[];
        readonly percentToSigma: readonly (readonly [number, number])[];
        readonly table: readonly number[];
        /** Timesteps halfway between two, and the one of the two that their sigma stands for. */
        readonly between: readonly (readonly [number, number])[];
      }
    >
  >;
};

const sd = new NoiseLevels('discrete', 0.00085, 0.012, false);
const models: Readonly<Record<string, NoiseLevels>> = {
  discrete: sd,
  'discrete.zsnr': new NoiseLevels('discrete', 0.00085, 0.012, true),
  distilled: new NoiseLevels('distilled', 0.00085, 0.012, false),
  'distilled.zsnr': new NoiseLevels('distilled', 0.00085, 0.012, true),
  continuous_edm: new NoiseLevels('continuous_edm', 0.002, 120),
  continuous_v: new NoiseLevels('continuous_v', 0.03, 500),
};

function expectClose(actual: ArrayLike<number>, expected: Sigmas): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => {
    if (value === null) expect(actual[index]).toBeNaN();
    else expect(Math.abs(actual[index]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(Math.abs(value), 1e-3));
  });
}

describe('schedulers', () => {
  const named = Object.keys(golden).filter((key) => /^[a-z_]+\.\d+$/.test(key));
  it.each(named)('make %s of the golden data', (key) => {
    const [scheduler, steps] = key.split('.') as [SchedulerName, string];
    expectClose(sd.schedule(scheduler, Number(steps)), golden[key] as Sigmas);
  });

  it.each(Object.keys(fixtures.schedules))('make %s', (key) => {
    const [model, scheduler, steps] = key.split('/') as [string, SchedulerName, string];
    expectClose(models[model]!.schedule(scheduler, Number(steps)), fixtures.schedules[key]!);
  });

  it.each(Object.keys(fixtures.beta))('make the beta schedule %s', (key) => {
    const [alpha, beta, steps] = key.split('/').map(Number) as [number, number, number];
    expectClose(sd.betaSchedule(steps, alpha, beta), fixtures.beta[key]!);
  });

  it.each(Object.keys(fixtures.plain))('make %s without a model', (key) => {
    const [kind, count] = key.split('/') as [string, string];
    const steps = Number(count);
    const makers: Record<string, () => Float32Array> = {
      karras: () => karrasSigmas(steps, 0.0291675, 14.614642, 5.5),
      exponential: () => exponentialSigmas(steps, 0.0291675, 14.614642),
      polyexponential: () => polyexponentialSigmas(steps, 0.0291675, 14.614642, 1.7),
      vp: () => vpSigmas(steps, 19.9, 0.1, 0.001),
      laplace: () => laplaceSigmas(steps, 0.0291675, 14.614642, 0.1, 0.5),
    };
    expectClose(makers[kind]!(), fixtures.plain[key]!);
  });

  const sampled = Object.keys(golden).filter((key) => key.startsWith('KSampler.'));
  it.each(sampled)('make %s', (key) => {
    const [, sampler, scheduler, steps] = key.split('.') as [string, string, SchedulerName, string];
    const denoise = Number(key.split('.denoise')[1]);
    const discards = ['dpm_2', 'uni_pc'].includes(sampler);
    expectClose(sd.kSamplerSchedule(scheduler, Number(steps), denoise, discards), golden[key] as Sigmas);
  });

  it('are ComfyUI’s, in its order', () => {
    expect(schedulerNames).toEqual([...new Set(named.map((key) => key.split('.')[0]))]);
  });

  it('make nothing for denoise 0, and refuse what makes no sense', () => {
    expect(sd.kSamplerSchedule('karras', 20, 0, false)).toHaveLength(0);
    expect(() => sd.schedule('karras', 0)).toThrow(new RangeError('steps must be 1 to 10000, got 0'));
    expect(() => sd.schedule('kerras' as 'karras', 4)).toThrow(RangeError);
    expect(() => sd.kSamplerSchedule('karras', 4, 1e-9, false)).toThrow(RangeError);
    expect(() => sd.betaSchedule(4, 0, 1)).toThrow(new RangeError('alpha must be above 0'));
    expect(() => new NoiseLevels('discrete', 0.00085, 2, false)).toThrow(RangeError);
    expect(() => new NoiseLevels('continuous_edm', -1, 2)).toThrow(RangeError);
  });
});

describe('NoiseLevels', () => {
  it('has the trained table', () => {
    expectClose(sd.sigmas, golden['model_sampling.sigmas'] as Sigmas);
    for (const [sigma, timestep] of Object.entries(golden['model_sampling.timestep']!)) {
      expect(sd.sigmaToTimestep(Number(sigma))).toBe(timestep);
    }
  });

  it.each(Object.keys(fixtures.model))('converts between sigma, timestep and percent: %s', (key) => {
    const model = models[key]!;
    const expected = fixtures.model[key]!;
    const { sigmas } = model;
    expectClose(
      [0, 1, 20, -2, -1].map((index) => sigmas.at(index)!),
      expected.table,
    );
    expect([model.sigmaMin, model.sigmaMax]).toEqual([sigmas[0], sigmas.at(-1)]);
    for (const call of ['sigmaToTimestep', 'timestepToSigma', 'percentToSigma'] as const) {
      expectClose(
        expected[call].map(([argument]) => model[call](argument)),
        expected[call].map(([, value]) => value),
      );
    }
    expect(
      expected.between.map(([timestep]) => model.sigmaToTimestep(model.timestepToSigma(timestep))),
    ).toEqual(expected.between.map(([, nearest]) => nearest));
  });

  it('takes the timestep that ComfyUI takes halfway through LCM’s fifty', () => {
    const distilled = models['distilled']!;
    const [, middle] = distilled.schedule('sgm_uniform', 2);
    expect(distilled.sigmaToTimestep(middle!)).toBe(499);
  });
});
