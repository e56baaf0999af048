import { mkdirSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome } from '../../support/daemon-process.js';

test('a job that waits in a journal of version 1 still runs, and what was over is still known', async () => {
  buildCli();
  const home = new DaemonHome();
  mkdirSync(home.path('latentd-data'));
  const journal = new Database(home.path('latentd-data/journal.sqlite'));
  journal.exec(readFileSync(new URL('../../fixtures/jobs/journal-1.sql', import.meta.url), 'utf8'));
  journal.close();
  const daemon = await home.start();
  const client = daemon.client();
  const jobOf = async (id: string) =>
    (await client.ask({ type: 'status', job_id: id }))['job'] as Record<string, unknown>;
  try {
    const listener = await daemon.listen();
    if ((await jobOf('waits'))['state'] !== 'completed') await listener.untilOver('waits');
    listener.close();
    const job = await jobOf('waits');
    expect(job).toMatchObject({ state: 'completed', attempts: 1 });
    expect(readFileSync(String(job['image_path'])).toString('latin1')).toContain(
      '"seed": 18446744073709551615',
    );
    expect(await jobOf('ran')).toMatchObject({ state: 'completed' });
    expect(await jobOf('done')).toEqual({
      job_id: 'done',
      state: 'completed',
      attempts: 1,
      image_path: '/pictures/x.png',
      duration_s: 1.5,
      outputs: [{ file: '/pictures/x.png', type: 'output' }],
    });
  } finally {
    client.close();
    await daemon.stop();
    home.remove();
  }
});
