/** What the measuring process is told at its start, and what it tells. Plain JSON. */
import type { FolderOptions } from '../models/folders/folders.js';
import type { Precision } from '../native/onnx-types.js';
import type { BenchCase } from './case.js';
import type { ProcessMemory } from './process-memory.js';
import type { RunTimes } from './stages.js';

export interface WorkerJob {
  readonly case: BenchCase;
  readonly folders: FolderOptions;
  readonly threads: number | undefined;
  readonly memoryLimit: number | undefined;
  readonly precision: Precision;
  /** `process.hrtime.bigint()` just before this process was started; that clock is the machine's. */
  readonly startedAt: string;
  /** Runs after the first, cold one that don't count. */
  readonly warmup: number;
  /** Runs after those that do. */
  readonly repeats: number;
  /** Profile each program, and write a Chrome trace of all runs here. */
  readonly trace: string | undefined;
}

export interface ColdRun extends RunTimes {
  /** From the process's start until the engine could take a workflow. */
  readonly readyMs: number;
  /** From the process's start until the image was written. */
  readonly wholeMs: number;
  /** Read from disk during the run, as far as files weren't cached in memory. */
  readonly diskBytes: number;
  readonly memory: ProcessMemory;
}

export interface WarmRun extends RunTimes {
  /** Processor time of all threads. */
  readonly cpuMs: number;
}

export type FromWorker =
  | { readonly kind: 'cold'; readonly run: ColdRun }
  | { readonly kind: 'warm up' }
  | { readonly kind: 'warm'; readonly run: WarmRun }
  | { readonly kind: 'done'; readonly memory: ProcessMemory; readonly device: string }
  /** The workflow failed or was refused. */
  | { readonly kind: 'failed'; readonly message: string };
