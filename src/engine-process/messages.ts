/** What daemon and engine process say to each other, over Node's IPC channel. */
import type { Precision } from '../native/onnx-types.js';
import type { Device } from '../engine/choose-backend.js';
import type { FolderOptions } from '../models/folders.js';
import type { Stage } from '../wire/protocol.js';
import type { JobRequest } from './job.js';

/** How an engine process is set up; its only command line argument, as JSON. */
export interface EngineSettings {
  readonly folders: FolderOptions;
  /** Folders of workflow templates, in the order in which they are asked. */
  readonly graphs: readonly string[];
  readonly device: Device;
  readonly threads?: number;
  readonly memoryLimit?: number;
  readonly precision?: Precision;
  readonly noise?: 'cpu' | 'gpu';
  readonly gpuThreads?: number;
}

export type ToEngine =
  | { readonly kind: 'run'; readonly id: string; readonly request: JobRequest; readonly workFolder: string }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'shutdown' };

/** How far a job is. Stages only go forward while an attempt lasts. */
export interface StageReport {
  readonly stage: Stage;
  readonly step: number;
  readonly totalSteps: number;
  /** The share of the job's sampling that is done, all its images counted. */
  readonly sampled: number;
}

/** Seconds that the stages of one image took. */
export interface ImageTimes {
  readonly stages: Readonly<Partial<Record<Stage, number>>>;
  readonly steps: number;
  /** Of the sampling, what went by before its first step was over; weights are loaded then. */
  readonly firstStep: number;
}

/** The last word on a job. */
export type JobEnd =
  | { readonly kind: 'done'; readonly id: string; readonly imagePath: string }
  | { readonly kind: 'failed'; readonly id: string; readonly error: string }
  | { readonly kind: 'cancelled'; readonly id: string };

/** What is said of a job while it runs. */
export type JobReport =
  | ({ readonly kind: 'progress'; readonly id: string } & StageReport)
  | { readonly kind: 'times'; readonly id: string; readonly times: ImageTimes }
  | { readonly kind: 'preview'; readonly id: string; readonly path: string; readonly step: number }
  /** An image is on disk; another attempt would make it again. */
  | { readonly kind: 'saved'; readonly id: string; readonly path: string }
  | { readonly kind: 'warning'; readonly id: string; readonly text: string };

export type FromEngine =
  | { readonly kind: 'ready' }
  /** Sent every few seconds while a job runs and the event loop turns. */
  | { readonly kind: 'alive' }
  | JobReport
  | JobEnd;
