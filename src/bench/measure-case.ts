/** Measures a case in fresh processes: so many that start cold, the first of which goes on with warm runs. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FolderOptions } from '../models/folders/folders.js';
import type { Precision } from '../native/onnx-types.js';
import type { BenchCase } from './case.js';
import type { ColdRun, FromWorker, WarmRun, WorkerJob } from './messages.js';
import type { ProcessMemory } from './process-memory.js';

export interface MeasureOptions {
  /** The measured process's main module; this package's own when left out. */
  readonly worker?: string;
  /** Where models lie; images go to a folder of their own, which is removed. */
  readonly folders: FolderOptions;
  readonly threads: number | undefined;
  readonly memoryLimit: number | undefined;
  /** `fp32` when left out. */
  readonly precision?: Precision;
  /** Processes that are started cold, 1 or more. */
  readonly cold: number;
  readonly warmup: number;
  readonly repeats: number;
  /** Where to write a Chrome trace of a cold and a warm run, which are profiled and count for nothing else. */
  readonly trace?: string;
  /** Ends the measured process and rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Called after each run of the workflow. */
  readonly onRun?: (phase: 'cold' | 'warm up' | 'warm' | 'profile') => void;
}

export interface CaseTimes {
  readonly cold: readonly ColdRun[];
  readonly warm: readonly WarmRun[];
  /** Of the process with the warm runs, after them. */
  readonly memory: ProcessMemory;
  readonly device: string;
}

/** The workflow couldn't be run; the message is its own. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

export async function measureCase(one: BenchCase, options: MeasureOptions): Promise<CaseTimes> {
  const { warmup, repeats, cold } = options;
  const first = await runWorker(one, { warmup, repeats }, options);
  const others: ColdRun[] = [];
  while (others.length < cold - 1) {
    others.push(...(await runWorker(one, { warmup: 0, repeats: 0 }, options)).cold);
  }
  if (options.trace !== undefined) {
    await runWorker(one, { warmup: 0, repeats: 1, trace: options.trace }, options);
  }
  return { ...first, cold: [...first.cold, ...others] };
}

type Plan = Pick<WorkerJob, 'warmup' | 'repeats'> & { readonly trace?: string };

async function runWorker(one: BenchCase, plan: Plan, options: MeasureOptions): Promise<CaseTimes> {
  const output = mkdtempSync(join(tmpdir(), 'latentd-bench-'));
  try {
    options.signal?.throwIfAborted();
    return await listenTo({ one, plan, options, output });
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

interface Start {
  readonly one: BenchCase;
  readonly plan: Plan;
  readonly options: MeasureOptions;
  readonly output: string;
}

function listenTo({ one, plan, options, output }: Start): Promise<CaseTimes> {
  const { worker = WORKER, folders, threads, memoryLimit, precision = 'fp32', signal, onRun } = options;
  const job: WorkerJob = {
    case: one,
    folders: { ...folders, output, temp: output },
    threads,
    memoryLimit,
    precision,
    trace: undefined,
    ...plan,
    startedAt: String(process.hrtime.bigint()),
  };
  const cold: ColdRun[] = [];
  const warm: WarmRun[] = [];
  const report = (phase: 'cold' | 'warm up' | 'warm') =>
    onRun?.(plan.trace === undefined ? phase : 'profile');
  return new Promise((resolve, reject) => {
    const child = fork(worker, [JSON.stringify(job)], {
      execArgv: [],
      // ONNX Runtime and libraries below it may write to standard output, which is ours for results.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      signal,
      killSignal: 'SIGKILL',
    });
    let last: (FromWorker & { readonly kind: 'done' | 'failed' }) | undefined;
    let ending: string | undefined;
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'cold') cold.push(message.run);
      if (message.kind === 'warm') warm.push(message.run);
      if (message.kind === 'done' || message.kind === 'failed') last = message;
      else report(message.kind);
    });
    // The process may be gone before its last message was read, so both ends are waited for.
    const settle = (): void => {
      if (ending === undefined || child.connected) return;
      if (last?.kind === 'done') resolve({ cold, warm, memory: last.memory, device: last.device });
      else reject(new BenchError(last?.message ?? `the measured process ended by ${ending}`));
    };
    child.on('exit', (code, ended) => {
      ending = ended ?? `exit code ${code ?? 'none'}`;
      settle();
    });
    child.on('disconnect', settle);
    child.on('error', reject);
  });
}
