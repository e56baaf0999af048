/**
 * Processes are killed at the moments that hurt most: while a picture is saved, while a job is taken, while the journal is written,
 * while a daemon or an engine starts. `KILLS=10000 npx vitest run test/jobs/kills.test.ts` makes more of it, and `SEED` repeats a
 * run's choices.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, watch, type FSWatcher } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildCli } from '../cli/latentd.js';
import { Client, DaemonHome, type DaemonProcess } from '../support/daemon-process.js';

const KILLS = Number(process.env['KILLS'] ?? 6);
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** In turns, so that few kills, too, have one of each; whom they hit and when is chance. */
const AIMS = ['save', 'claim', 'journal', 'save', 'start'] as const;

/** After so many kills, all jobs are waited for and looked at. */
const KILLS_A_ROUND = 50;

/** Nobody is killed twice while more jobs wait than this. */
const MOST_WAITING = 6;

let home: DaemonHome;
let daemon: DaemonProcess;

beforeAll(buildCli);
beforeEach(() => {
  home = new DaemonHome();
  mkdirSync(home.path('output'));
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

const random = chance(SEED);
const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;

/** A job that needs no model: one or two grey pictures whose names begin with its id. */
function request(id: string, pictures: number) {
  const grey = { width: 64, height: 64, batch_size: pictures, color: 0x808080 };
  return {
    type: 'generate',
    id,
    prompt: '',
    model: '',
    size: [64, 64],
    steps: 1,
    cfg_scale: 1,
    workflow: {
      1: { class_type: 'EmptyImage', inputs: grey },
      2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: `${id}-w` } },
    },
  };
}

/** A moment's length, mostly of microseconds: the processes that are aimed at don't wait. */
function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** Resolves when a file changes whose name is looked for, or after a while. */
function onChange(folder: string, wanted: (name: string) => boolean, kill: () => void): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (happened: boolean) => {
      watcher.close();
      clearTimeout(patience);
      resolve(happened);
    };
    const patience = setTimeout(() => {
      end(false);
    }, 10_000);
    const watcher: FSWatcher = watch(folder, (_, name) => {
      if (name === null || !wanted(name)) return;
      kill();
      end(true);
    });
  });
}

/** Between two engines there is none to kill. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
}

const requests = () => `ipc://${home.path('requests')}`;
const args = () => [
  '--req-addr',
  requests(),
  '--pub-addr',
  `ipc://${home.path('updates')}`,
  '--threads',
  '1',
];

async function waitUntilIdle(most: number): Promise<void> {
  const client = new Client(requests());
  for (;;) {
    const status = await client.ask({ type: 'status' });
    const { queue_size: waiting, active_jobs: running } = status;
    if (Number(waiting) + (most === 0 ? Number(running) : 0) <= most) break;
    await delay(20);
  }
  client.close();
}

/** Every job that was accepted is over, with its pictures and no others, and nothing else lies about. */
async function check(jobs: ReadonlyMap<string, { pictures: number; accepted: boolean }>): Promise<number> {
  await waitUntilIdle(0);
  const client = new Client(requests());
  let givenUp = 0;
  const expected = new Set<string>();
  for (const [id, { pictures, accepted }] of jobs) {
    const { job } = (await client.ask({ type: 'status', job_id: id })) as unknown as {
      job?: { state: string; image_path?: string; error?: string };
    };
    // Of a daemon that was killed before it answered, nobody knows whether it had accepted.
    if (job === undefined && !accepted) continue;
    // Three engines may have died under it, by chance.
    if (job?.state === 'failed') {
      expect(job.error).toMatch(/^given up/);
      givenUp++;
      continue;
    }
    expect([id, job?.state, existsSync(job?.image_path ?? '')]).toEqual([id, 'completed', true]);
    for (let number = 1; number <= pictures; number++) expected.add(`${id}-w_0000${number}_.png`);
  }
  client.close();
  expect(readdirSync(home.path('output')).toSorted()).toEqual([...expected].toSorted());
  while (readdirSync(home.path('latentd-data/work')).length > 0) await delay(20);
  for (const name of expected) rmSync(home.path(`output/${name}`));
  return givenUp;
}

test(
  `${KILLS} kills of daemon, engine or both (SEED=${SEED})`,
  { timeout: 60_000 + KILLS * 15_000 },
  async () => {
    const kills: Record<string, number> = {};
    let jobs = new Map<string, { pictures: number; accepted: boolean }>();
    let asked = 0;
    let givenUp = 0;
    daemon = await home.start(...args());

    let client = new Client(requests());
    const submit = async (): Promise<void> => {
      const id = `j${++asked}`;
      const pictures = random() < 0.3 ? 2 : 1;
      jobs.set(id, { pictures, accepted: false });
      await client.accept(request(id, pictures));
      jobs.set(id, { pictures, accepted: true });
    };

    for (let done = 0; done < KILLS;) {
      await waitUntilIdle(MOST_WAITING);
      const aim = AIMS[done % AIMS.length]!;
      const victim = oneOf(['daemon', 'engine', 'both'] as const);
      const moment = random() * random() * { save: 3, claim: 30, journal: 2, start: 700 }[aim];

      const strike = () => {
        spin(Math.min(moment, 3));
        if (victim !== 'daemon') kill(daemon.enginePid);
        if (victim !== 'engine') kill(daemon.pid);
      };
      let struck = true;
      if (aim === 'start') {
        // Of a daemon, and with it of its engine.
        await daemon.stop('SIGKILL');
        daemon = home.launch(...args());
        await delay(moment);
        kill(daemon.pid);
      } else if (aim === 'claim') {
        await submit();
        await delay(moment);
        strike();
      } else {
        const isPicture = (name: string) => name.startsWith('.latentd-') || name.includes('-w_');
        const hit =
          aim === 'save'
            ? onChange(home.path('output'), isPicture, strike)
            : onChange(home.path('latentd-data'), (name) => name.endsWith('-wal'), strike);
        // It may be killed before it answers.
        const submitted = submit().catch(() => undefined);
        struck = await hit;
        if (victim === 'engine' || !struck) await submitted;
      }
      if (struck) {
        done++;
        kills[`${aim}, ${victim}`] = (kills[`${aim}, ${victim}`] ?? 0) + 1;
      }
      if (victim !== 'engine' || aim === 'start') {
        if (struck) await daemon.ended();
        // A socket that got no reply is of no use any more.
        client.close();
        if (daemon.hasEnded) daemon = await home.start(...args());
        client = new Client(requests());
      }
      if (done % KILLS_A_ROUND === 0 || done === KILLS) {
        givenUp += await check(jobs);
        jobs = new Map();
        if (process.env['KILLS'] !== undefined) console.log({ done, asked, givenUp });
      }
    }
    if (process.env['KILLS'] !== undefined) console.log({ kills, asked, givenUp });
    client.close();
    expect(asked).toBeGreaterThan(KILLS / 3);
  },
);
