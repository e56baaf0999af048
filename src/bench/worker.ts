/** `node worker.js JOB`: runs one case's workflow in a process of its own and tells its parent the times. */
import { createEngine } from '../engine/create-engine.js';
import type { Engine, EngineResult } from '../engine/engine.js';
import { createOnnxBackend } from '../compute/onnx/backend.js';
import { describeReport } from '../workflow/faults.js';
import { workflowOf } from './case.js';
import type { ColdRun, FromWorker, WarmRun, WorkerJob } from './messages.js';
import { observedBackend } from './observed-backend.js';
import { processMemory } from './process-memory.js';
import { Recorder, type Recording } from './recorder.js';
import { timesOf } from './stages.js';
import { TraceWriter } from './trace.js';

const job = JSON.parse(process.argv[2]!) as WorkerJob;
const startedAt = BigInt(job.startedAt);
const sinceStart = (): number => Number(process.hrtime.bigint() - startedAt) / 1e6;

/** In which `fsRead` counts. */
const BLOCK_BYTES = 512;

function tell(message: FromWorker): void {
  process.send?.(message);
}

class RunFailed extends Error {}

function requireSuccess(result: EngineResult): void {
  if (result.status === 'success') return;
  if (result.status === 'invalid') throw new RunFailed(describeReport(result.report));
  if (result.status === 'interrupted') throw new RunFailed('interrupted');
  const { node_id, node_type, exception_message } = result.error;
  throw new RunFailed(`node ${node_id} (${node_type}) failed: ${exception_message}`);
}

const recorder = new Recorder();
const { threads, precision } = job;
const options = { precision, ...(threads !== undefined && { threads }) };
const trace = job.trace === undefined ? undefined : new TraceWriter(job.trace, job.folders.output, options);
const backend = trace?.backend ?? createOnnxBackend(options);
const engine = createEngine({
  folders: job.folders,
  memoryLimit: job.memoryLimit,
  backend: observedBackend(backend, recorder.ran),
  observer: recorder.observer,
});
const readyMs = sinceStart();

/** Loaded models stay, results don't. */
function run(on: Engine, name: string): Promise<Recording> {
  on.clearResults();
  return recorder
    .record(async () => {
      requireSuccess(await on.run(workflowOf(job.case), { onEvent: recorder.onEvent }));
    })
    .then((recording) => {
      trace?.add(name, recording);
      return recording;
    });
}

async function coldRun(): Promise<ColdRun> {
  const before = process.resourceUsage().fsRead;
  const times = timesOf(await run(engine, 'cold run'));
  const diskBytes = (process.resourceUsage().fsRead - before) * BLOCK_BYTES;
  return { ...times, readyMs, wholeMs: sinceStart(), diskBytes, memory: processMemory() };
}

async function warmRun(): Promise<WarmRun> {
  const before = process.cpuUsage();
  const times = timesOf(await run(engine, 'warm run'));
  const { user, system } = process.cpuUsage(before);
  return { ...times, cpuMs: (user + system) / 1000 };
}

try {
  tell({ kind: 'cold', run: await coldRun() });
  for (let count = 0; count < job.warmup; count++) {
    await run(engine, 'warm-up run');
    tell({ kind: 'warm up' });
  }
  for (let count = 0; count < job.repeats; count++) tell({ kind: 'warm', run: await warmRun() });
  const memory = processMemory();
  await engine.dispose();
  trace?.write();
  tell({ kind: 'done', memory, device: backend.device });
} catch (error) {
  const message = error instanceof RunFailed ? error.message : String((error as Error).stack ?? error);
  tell({ kind: 'failed', message });
} finally {
  if (process.connected) process.disconnect();
}
