import { expect, test } from 'vitest';
import { EngineSpeeds } from '../../src/jobs/engine-speeds.js';
import { Estimates } from '../../src/jobs/estimates.js';

test('engines on one processor are as fast as the fastest of them was measured; cards are themselves', () => {
  const cpu = { device: 'cpu', threads: 1 } as const;
  const engines = [cpu, cpu, { device: 'cuda:0' }, { device: 'cuda:1' }] as const;
  const speeds = new EngineSpeeds(engines, new Estimates([]));
  const learn = (engine: number, speed: number) =>
    speeds
      .learn(engine, speed)
      .map(({ model, meanSeconds }) => [Number(model), Math.round(1e12 / meanSeconds)]);
  expect(learn(0, 5e9)).toEqual([[0, 5e9]]);
  expect(learn(1, 9e9)).toEqual([
    [0, 9e9],
    [1, 9e9],
  ]);
  expect(learn(2, 2e12)).toEqual([[2, 2e12]]);
  expect(learn(3, 1e12)).toEqual([[3, 1e12]]);
  // It starts anew, beside work.
  expect(learn(0, 8e9)).toEqual([
    [0, 9e9],
    [1, 9e9],
  ]);
});
