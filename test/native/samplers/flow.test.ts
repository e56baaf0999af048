import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NoiseLevels, TorchGenerator, type SchedulerName } from '../../../src/native/addon.js';
import { samplerNames } from '../../../src/native/samplers.js';
import { readTensors, relativeError } from '../../compute/fixtures.js';
import { runToy } from './toy-denoiser.js';

/** tools/reference/flow_sampling.py */
const results = readTensors('test/fixtures/native/flow-samplers.safetensors');
const levels = JSON.parse(
  readFileSync('test/fixtures/native/flow-levels.json', 'utf8').replaceAll('NaN', 'null'),
) as Readonly<
  Record<
    string,
    {
      readonly schedules: Readonly<Record<string, readonly (number | null)[]>>;
      readonly timestep: readonly (readonly [sigma: number, timestep: number])[];
      readonly percent: readonly (readonly [percent: number, sigma: number])[];
      readonly table: readonly number[];
    }
  >
>;

function levelsOf(name: string): NoiseLevels {
  const [kind, first, second] = name.split(' ');
  return kind === 'flow'
    ? new NoiseLevels('flow', Number(first), Number(second))
    : new NoiseLevels('flux', Number(first));
}

describe.each(Object.entries(levels))('levels of %s', (name, { schedules, timestep, percent, table }) => {
  const model = levelsOf(name);

  it.each(Object.entries(schedules))('have the schedule %s', (schedule, expected) => {
    const [scheduler, steps] = schedule.split('.') as [SchedulerName, string];
    const sigmas = model.schedule(scheduler, Number(steps));
    expect(sigmas.length).toBe(expected.length);
    expected.forEach((value, index) => {
      if (value === null) expect(sigmas[index]).toBeNaN();
      else expect(Math.abs(sigmas[index]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(value, 1e-3));
    });
  });

  it('have timesteps, shares and a table', () => {
    const { sigmas } = model;
    const last = sigmas.length - 1;
    const third = Math.floor(sigmas.length / 3);
    expect([0, 1, third, sigmas.length / 2, last - 1, last].map((index) => sigmas[index])).toEqual(table);
    for (const [sigma, expected] of timestep) expect(model.sigmaToTimestep(sigma)).toBe(expected);
    for (const [share, expected] of percent) expect(model.percentToSigma(share)).toBeCloseTo(expected, 12);
  });
});

describe('samplers on a flow', () => {
  const model = new NoiseLevels('flow', 3, 1);
  const cases = Object.keys(results).filter((key) => !key.startsWith('sigmas.'));

  it('are all there', () => {
    expect(new Set(cases.map((key) => key.split('.')[0]))).toEqual(new Set(samplerNames));
  });

  it.each(cases)('reproduce %s', (key) => {
    const [name, ...schedule] = key.split('.');
    const sigmas = results[`sigmas.${schedule.join('.')}`]!.data as Float32Array;
    const expected = results[key]!.data as Float32Array;
    const x = new TorchGenerator(5n).randn(expected.length).map((value) => value * sigmas[0]!);
    const { result } = runToy(name!, { x, sigmas, seed: 11n, levels: model, flow: true });
    expect(relativeError(result, expected)).toBeLessThan(1e-5);
  });
});
