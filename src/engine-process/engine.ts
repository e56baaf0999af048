/**
 * The engine process: runs one job at a time for the daemon that forked it, and ends with it. What it needs to know is its one
 * argument, `EngineSettings` as JSON.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { chooseBackend } from '../engine/choose-backend.js';
import { createEngine } from '../engine/create-engine.js';
import { loadNodePacks } from '../engine/node-packs.js';
import { shortProductRate } from '../engine/product-rate.js';
import { createFolders } from '../models/folders/folders.js';
import { endWithParent } from '../native/addon.js';
import { safeLine } from '../safe-text.js';
import { openStore } from '../store/open-store.js';
import { AttemptNotes } from './attempt-notes.js';
import { runJob } from './job-runner.js';
import type { EngineSettings, FromEngine, ToEngine } from './messages.js';
import { workOf } from './node-work.js';
import { previewPainter } from './preview.js';
import type { JobTask } from './task.js';

/** How often a job that runs shows that the event loop turns. */
const ALIVE_INTERVAL_MS = 2000;

/** Between two jobs garbage is collected, which takes about 20 ms; after many short ones, not more often than this. */
const COLLECT_INTERVAL_MS = 5000;

const settings = JSON.parse(process.argv[2] ?? '') as EngineSettings;
const notice = (message: string) => {
  console.warn(safeLine(message));
};
const { device, threads, precision } = settings;
const cpuOptions = {
  ...(threads !== undefined && { threads }),
  ...(precision !== undefined && { precision }),
};
const backend = chooseBackend(device, cpuOptions, notice);
const engine = createEngine({
  // They loaded in the daemon before; where one doesn't here, this process ends, and its last words are logged.
  nodes: await loadNodePacks(settings.nodePacks ?? []),
  folders: createFolders(settings.folders),
  memoryLimit: settings.memoryLimit,
  noise: settings.noise,
  gpuThreads: settings.gpuThreads,
  s3: settings.store?.s3,
  allowUrls: settings.allowUrls,
  backend,
});
const store = settings.store && openStore(settings.store);
const paintPreview = previewPainter(settings.previewMethod ?? 'latent2rgb', notice);
let running: { readonly id: string; readonly cancellation: AbortController } | undefined;
let collectedAt = 0;

function send(message: FromEngine): void {
  process.send?.(message);
}

async function run(id: string, task: JobTask, workFolder: string): Promise<void> {
  const cancellation = new AbortController();
  const mine = { id, cancellation };
  running = mine;
  const alive = setInterval(() => {
    send({ kind: 'alive' });
  }, ALIVE_INTERVAL_MS);
  const notes = await AttemptNotes.open(workFolder);
  try {
    const end = await runJob({
      id,
      task,
      engine,
      workOf: (classType) => {
        const node = engine.nodes.get(classType);
        return node === undefined ? undefined : workOf(node);
      },
      workFolder,
      paintPreview,
      store,
      signal: cancellation.signal,
      tell: (event) => {
        send({ kind: 'event', id, event });
      },
      noteFile: (note) => notes.add(note, cancellation.signal),
    });
    // Half a job's images and latents are of no use to the next, unless that is a change of this one.
    if (end.kind !== 'done' && task.reusesOutputs !== true) engine.clearResults();
    send(end);
  } finally {
    await notes.close();
    clearInterval(alive);
    // The next job may have begun as soon as this one's end was sent.
    if (running === mine) running = undefined;
    collectGarbage();
  }
}

/** V8 would leave a job's leavings lying until there are several times as many as there is in use. */
function collectGarbage(): void {
  if (performance.now() - collectedAt < COLLECT_INTERVAL_MS) return;
  collectedAt = performance.now();
  globalThis.gc?.();
}

/** What can't multiply will fail its jobs; that is theirs to tell. */
async function measuredSpeed(): Promise<{ readonly speed?: number }> {
  try {
    return { speed: await shortProductRate(backend) };
  } catch (error) {
    notice(
      `the machine's speed can't be measured: ${error instanceof Error ? error.message : String(error)}`,
    );
    return {};
  }
}

async function shutDown(): Promise<void> {
  running?.cancellation.abort();
  await engine.dispose();
  process.exit(0);
}

process.on('message', (message: ToEngine) => {
  switch (message.kind) {
    case 'run':
      void run(message.id, message.task, message.workFolder);
      break;
    case 'cancel':
      if (running?.id === message.id) running.cancellation.abort();
      break;
    case 'free':
      engine.freeModel(message.path).catch((error: unknown) => {
        notice(`a model can't be let go of: ${error instanceof Error ? error.message : String(error)}`);
      });
      break;
    case 'shutdown':
      void shutDown();
      break;
  }
});
// The daemon is gone, or lets go of this process: whatever runs here is nobody's any more.
process.on('disconnect', () => process.exit(0));
// What a terminal sends to its whole group is for the daemon to answer.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

endWithParent();
// Sampling takes every core it gets; the daemon answers before it, and the kernel ends this process before that one.
for (const thread of await readdir('/proc/self/task')) {
  setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
}
await writeFile('/proc/self/oom_score_adj', '500').catch(() => undefined);
send({ kind: 'ready', ...(await measuredSpeed()) });
