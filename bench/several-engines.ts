/**
 * What several engine processes on one queue gain over one: with jobs that sleep, so that cores don't count, and with pictures of a
 * tiny model on as many engines as there are cores. And what a decision costs: which job is next, and where.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeAll, test } from 'vitest';
import { Estimates } from '../src/jobs/estimates.js';
import type { Jobs } from '../src/jobs/jobs.js';
import { Placement } from '../src/jobs/placement.js';
import { WaitingJobs } from '../src/jobs/waiting-jobs.js';
import { buildCli, ROOT } from '../test/cli/latentd.js';
import { jobOf } from '../test/jobs/jobs.js';
import { tinyCheckpoint } from '../test/support/golden.js';
import { smallWorkflow } from '../test/support/small-workflow.js';
import { openFigures } from './harness/figures.js';

const { figure } = openFigures(
  'several-engines',
  'Several engine processes on one queue: what they gain over one, and what a decision costs.',
);

const SLEEP_MS = 1000;
const SLEEPER = `
  process.on('message', ({ kind, id }) => {
    if (kind === 'shutdown') process.exit(0);
    if (kind === 'run') setTimeout(() => process.send({ kind: 'done', id, outputs: [] }), ${SLEEP_MS});
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ kind: 'ready' });
`;

beforeAll(buildCli);

/** Seconds that engines take for jobs, once all of them are up and each has done one. */
async function seconds(engines: number, entry: string | undefined, jobs: number, steps = 1): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-engines-'));
  for (const name of ['models/checkpoints', 'input', 'output', 'temp'])
    mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(tinyCheckpoint('sd15'), join(folder, 'models/checkpoints/sd15-tiny.safetensors'));
  if (entry !== undefined) writeFileSync(join(folder, 'engine.cjs'), entry);
  const built = (await import(join(ROOT, 'dist/jobs/jobs.js'))) as { readonly Jobs: typeof Jobs };
  const path = (name: string) => join(folder, name);
  const queue = await built.Jobs.open({
    dataFolder: path('data'),
    engineEntry: entry === undefined ? join(ROOT, 'dist/engine-process/main.js') : path('engine.cjs'),
    configuration: {
      engines: Array.from({ length: engines }, () => ({
        folders: { models: path('models'), input: path('input'), output: path('output'), temp: path('temp') },
        device: 'cpu' as const,
        threads: 1,
      })),
      queueCapacity: 1000,
      clients: { order: 'turns' },
      bounds: { timeLimit: 300, silence: 60 },
      keepSeconds: 3600,
      keepJobs: 100,
    },
    log: pino({ level: 'silent' }),
    renew: () => {
      throw new Error('there is no older journal');
    },
    onFatal: (error) => {
      throw error;
    },
  });
  let left = 0;
  let allOver: () => void = () => undefined;
  queue.subscribe(({ kind }) => {
    if (kind === 'over' && --left === 0) allOver();
  });
  queue.begin();
  const run = async (count: number, name: string) => {
    left = count;
    const over = new Promise<void>((resolve) => {
      allOver = resolve;
    });
    const began = performance.now();
    for (let index = 0; index < count; index++) {
      const workflow =
        entry === undefined ? smallWorkflow({ seed: String(index), steps, text: `${name} ${index}` }) : '{}';
      const load = { model: 'sd15-tiny.safetensors', pixels: 4096, steps, images: 1 };
      await queue.submit(jobOf(`${name}-${index}`, { task: { workflow }, load }));
    }
    await over;
    return (performance.now() - began) / 1000;
  };
  while (queue.engineStates.some(({ state }) => state !== 'ready')) await run(1, `start-${Math.random()}`);
  await run(engines * 3, 'warm');
  const took = await run(jobs, 'measured');
  await queue.stop(0);
  await queue.close();
  rmSync(folder, { recursive: true });
  return took;
}

test('jobs that sleep for a second', async () => {
  const one = await seconds(1, SLEEPER, 8);
  const eight = await seconds(8, SLEEPER, 64);
  figure('eight engines, of one', 64 / eight / (8 / one), 'times', { atLeast: 7.5 });
  figure('what the daemon adds to a second', (one / 8 - SLEEP_MS / 1000) * 1000, 'ms');
});

test('pictures of a tiny model, one thread each', async () => {
  const one = await seconds(1, undefined, 20, 60);
  const two = await seconds(2, undefined, 40, 60);
  figure('two engines, of one', 40 / two / (20 / one), 'times', { atLeast: 1.9 });
});

test('a decision', () => {
  for (const [clients, jobs] of [
    [1, 1000],
    [100, 10_000],
    [1000, 100_000],
  ] as const) {
    const waiting = new WaitingJobs();
    for (let index = 0; index < jobs; index++) {
      const client = { front: 'bench', id: String(index % clients) };
      const load = { model: `model-${index % 7}`, pixels: 2 ** 20, steps: 20, images: 1 };
      waiting.insert({
        ...{ id: String(index), client, load, priority: 0 },
        ...{ sequence: index + 1, place: index, interruptions: 0 },
      });
    }
    const estimates = new Estimates([]);
    const placement = new Placement();
    const engines = Array.from({ length: 8 }, (_, engine) => ({
      engine,
      isFree: engine === 0,
      secondsLeft: engine,
    }));
    const ROUNDS = 200;
    const began = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      // Whatever ended taught something: forecasts are made anew.
      estimates.forgetLoaded(0);
      const next = placement.next(waiting.inOrder({ order: 'turns' }, new Map()), engines, {
        seconds: ({ load }, engine) => estimates.secondsOn(load, engine),
        mayRun: () => true,
      });
      if (next === undefined) throw new Error('there is a job for the free engine');
      waiting.remove(next.job, true);
    }
    const each = (performance.now() - began) / ROUNDS;
    figure(`${jobs} jobs of ${clients} clients for 8 engines`, each, 'ms', { below: 5 });
  }
});
