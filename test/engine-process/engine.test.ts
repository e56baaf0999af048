import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { FromEngine } from '../../src/engine-process/messages.js';
import { EngineChild } from '../../src/jobs/engine-child.js';
import { buildCli, ROOT } from '../cli/latentd.js';
import { DaemonHome } from '../support/daemon-process.js';
import { picture } from '../fronts/comfyui/prompts.js';

test('a job that is sent before the one before it is put away can be cancelled', async () => {
  buildCli();
  const home = new DaemonHome();
  const work = mkdtempSync(join(tmpdir(), 'latentd-work-'));
  const heard: FromEngine[] = [];
  let look = () => undefined as unknown;
  const child = new EngineChild({
    entry: join(ROOT, 'dist/engine-process/main.js'),
    settings: {
      folders: {
        models: home.path('models'),
        input: home.path('input'),
        output: home.path('output'),
        temp: home.path('temp'),
      },
      device: 'cpu',
      previewMethod: 'none',
    },
    log: pino({ level: 'silent' }),
    startSeconds: 60,
    onMessage: (message) => {
      heard.push(message);
      look();
    },
  });
  const until = (accepts: (message: FromEngine) => boolean) =>
    new Promise<FromEngine>((resolve) => {
      look = () => {
        const found = heard.find(accepts);
        if (found !== undefined) resolve(found);
      };
      look();
    });
  try {
    await child.ready;
    const run = (id: string, steps: number) => {
      const task = { workflow: JSON.stringify(picture({ steps, prefix: id })) };
      child.send({ kind: 'run', id, task, workFolder: work });
    };
    // As the daemon does it: the next job goes out with the end of the one before.
    run('short', 1);
    await until((message) => message.kind === 'done' && message.id === 'short');
    run('long', 10_000);
    await until(
      (message) => message.kind === 'event' && message.id === 'long' && message.event.type === 'progress',
    );
    child.send({ kind: 'cancel', id: 'long' });
    const end = await until(
      (message) => 'id' in message && message.id === 'long' && message.kind !== 'event',
    );
    expect(end.kind).toBe('cancelled');
  } finally {
    child.kill('the test is over');
    await child.ended;
    rmSync(work, { recursive: true });
    home.remove();
  }
});
