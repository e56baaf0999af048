/**
 * Processes are killed at random moments under load. `KILLS=50 npx vitest run test/jobs/kills.test.ts` makes more of it, and
 * `SEED` repeats a run's moments.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildCli } from '../cli/latentd.js';
import { Client, DaemonHome, generate, Listener, type DaemonProcess } from '../support/daemon-process.js';

const KILLS = Number(process.env['KILLS'] ?? 4);
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let home: DaemonHome;
let daemon: DaemonProcess;

beforeAll(buildCli);
beforeEach(() => {
  home = new DaemonHome();
});
afterEach(async () => {
  await daemon.stop('SIGKILL');
  home.remove();
});

/** Mulberry32: enough chance for choosing moments. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Between two engines there is none to kill. */
function killEngine(): void {
  try {
    process.kill(daemon.enginePid, 'SIGKILL');
  } catch {
    return;
  }
}

/** Keeps a few small jobs waiting, and the ids of all that were accepted. */
class Load {
  readonly accepted: string[] = [];
  private stopping = false;
  private readonly working: Promise<void>;

  constructor(private readonly address: string) {
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.working;
  }

  private async work(): Promise<void> {
    let client = new Client(this.address, 1000);
    while (!this.stopping) {
      const request = generate({ steps: 2 + (this.accepted.length % 30) });
      try {
        await client.accept(request);
        this.accepted.push(request.id);
        await delay(50);
        while (Number((await client.ask({ type: 'status' }))['queue_size']) > 5) await delay(100);
      } catch {
        // The daemon is gone; a REQ socket that got no reply is of no use any more.
        client.close();
        client = new Client(this.address, 1000);
      }
    }
    client.close();
  }
}

test(
  `${KILLS} kills of daemon, engine or both (SEED=${SEED})`,
  { timeout: 60_000 + KILLS * 15_000 },
  async () => {
    const random = chance(SEED);
    const requests = `ipc://${home.path('requests')}`;
    const updates = `ipc://${home.path('updates')}`;
    const args = ['--req-addr', requests, '--pub-addr', updates];
    daemon = await home.start(...args);
    const listener = await Listener.open(updates);
    const load = new Load(requests);
    const victims = { daemon: 0, engine: 0, both: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      await delay(100 + random() * 2500);
      const victim = (['daemon', 'engine', 'both'] as const)[Math.floor(random() * 3)]!;
      victims[victim]++;
      if (victim !== 'daemon') killEngine();
      if (victim === 'engine') continue;
      await daemon.stop('SIGKILL');
      daemon = await home.start(...args);
    }
    await load.stop();

    const client = new Client(requests);
    for (;;) {
      const { queue_size: waiting, active_jobs: running } = await client.ask({ type: 'status' });
      if (waiting === 0 && running === 0) break;
      await delay(100);
    }
    await delay(300);
    let told = 0;
    for (const id of load.accepted) {
      const { job } = (await client.ask({ type: 'status', job_id: id })) as unknown as {
        job: { state: string; image_path?: string; error?: string };
      };
      // Three engines may have died under it, by chance.
      if (job.state === 'failed') expect(job.error).toMatch(/^given up/);
      else expect([id, job.state, existsSync(job.image_path ?? '')]).toEqual([id, 'completed', true]);
      const types = listener.of(id).map(({ type }) => type);
      const ends = types.filter((type) => type === 'job_finished');
      expect(ends.length).toBeLessThanOrEqual(1);
      expect(types.filter((type) => type === 'job_complete').length).toBeLessThanOrEqual(1);
      // Nothing runs after it was reported.
      if (ends.length === 1) expect(types.slice(types.indexOf('job_finished') + 1)).toHaveLength(1);
      told += ends.length;
    }
    if (process.env['KILLS'] !== undefined)
      console.log({ kills: victims, accepted: load.accepted.length, told });
    expect(load.accepted.length).toBeGreaterThan(KILLS);
    client.close();
    listener.close();
  },
);
