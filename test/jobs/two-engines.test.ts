/** Two real engine processes on one queue: what daemons with several devices run. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JobNotice } from '../../src/jobs/events.js';
import type { Jobs } from '../../src/jobs/jobs.js';
import { buildCli, ROOT } from '../cli/latentd.js';
import { tinyCheckpoint } from '../support/golden.js';
import { jobOf } from './jobs.js';

let folder: string;
let jobs: Jobs;
let notices: JobNotice[];
const waiting = new Set<() => void>();

beforeAll(buildCli);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-two-'));
  for (const name of ['models/checkpoints', 'input', 'output', 'temp'])
    mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(tinyCheckpoint('sd15'), join(folder, 'models/checkpoints/sd15-tiny.safetensors'));
  const folders = Object.fromEntries(
    ['models', 'input', 'output', 'temp'].map((name) => [name, join(folder, name)]),
  ) as Record<'models' | 'input' | 'output' | 'temp', string>;
  const settings = { folders, device: 'cpu', threads: 1 } as const;
  // The built one, whose journal has a thread of its own.
  const built = (await import(join(ROOT, 'dist/jobs/jobs.js'))) as { readonly Jobs: typeof Jobs };
  jobs = await built.Jobs.open({
    dataFolder: join(folder, 'data'),
    engineEntry: join(ROOT, 'dist/engine-process/main.js'),
    configuration: {
      engines: [settings, settings],
      queueCapacity: 100,
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
  notices = [];
  jobs.subscribe((notice) => {
    notices.push(notice);
    for (const wake of waiting) wake();
  });
  jobs.begin();
});
afterEach(async () => {
  await jobs.stop(0);
  await jobs.close();
  rmSync(folder, { recursive: true });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise<void>((resolve) => {
      waiting.add(resolve);
    });
    waiting.clear();
  }
}

const submit = (id: string, seed: number, steps = 4) =>
  jobs.submit(
    jobOf(id, {
      task: {
        workflow: JSON.stringify({
          1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd15-tiny.safetensors' } },
          2: { class_type: 'CLIPTextEncode', inputs: { text: 'a knight', clip: ['1', 1] } },
          3: { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
          4: {
            class_type: 'KSampler',
            inputs: {
              ...{ seed, steps, cfg: 1, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
              ...{ model: ['1', 0], positive: ['2', 0], negative: ['2', 0], latent_image: ['3', 0] },
            },
          },
          5: { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
          6: { class_type: 'SaveImage', inputs: { images: ['5', 0], filename_prefix: id } },
        }),
      },
    }),
  );

const over = () => notices.filter((notice) => notice.kind === 'over');
const pictures = () => readdirSync(join(folder, 'output')).sort();

/** Each job ended once, well, and left the one picture that it made. */
function expectAllDone(ids: readonly string[]): void {
  expect(over().map(({ job, outcome }) => [job.id, outcome.state, outcome.error])).toHaveLength(ids.length);
  expect(new Set(over().map(({ job }) => job.id))).toEqual(new Set(ids));
  expect(over().filter(({ outcome }) => outcome.state !== 'completed')).toEqual([]);
  expect(pictures()).toEqual(ids.map((id) => `${id}_00001_.png`).sort());
}

test('share its jobs: none is lost, none is done twice, and both work at once', async () => {
  const ids = Array.from({ length: 12 }, (_, index) => `job-${index}`);
  let most = 0;
  jobs.subscribe(() => {
    most = Math.max(most, jobs.running.length);
  });
  await Promise.all(ids.map((id, index) => submit(id, index)));
  await until(() => over().length === ids.length);
  expectAllDone(ids);
  expect(most).toBe(2);
});

test('go on when one of them is killed: its job is done by another attempt, once', async () => {
  const ids = Array.from({ length: 8 }, (_, index) => `job-${index}`);
  // Long enough that the other one has started before they are done.
  await Promise.all(ids.map((id, index) => submit(id, index, 60)));
  // While one samples: nothing of its job is saved, and the other one is at work.
  const samples = (notice: JobNotice) =>
    notice.kind === 'event' && notice.event.type === 'progress' && jobs.running.length === 2;
  await until(() => notices.some(samples));
  const victim = notices.find(samples)!.job.id;
  const { engine } = jobs.running.find(({ job }) => job.id === victim) ?? jobs.running[0]!;
  process.kill(jobs.engineStates[engine]!.pid!, 'SIGKILL');
  await until(() => over().length === ids.length);
  expectAllDone(ids);
  expect(jobs.engineStates.map(({ restarts }) => restarts)).toContain(1);
});
