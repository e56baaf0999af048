/** What daemon and engine process say to each other, over Node's IPC channel. */
import type { Device } from '../config/device.js';
import type { FolderOptions } from '../models/folders/folders.js';
import type { Precision } from '../native/onnx-types.js';
import type { NoiseKind } from '../native/sampler-types.js';
import type { StoreSettings } from '../store/open-store.js';
import type { NodeUi } from '../nodes/definition.js';
import type { NodeError, RunEvent } from '../workflow/events.js';
import type { NodeWork } from './node-work.js';
import type { PreviewMethod } from './preview.js';
import type { JobTask } from './task.js';

/** How an engine process is set up; its only command line argument, as JSON. */
export interface EngineSettings {
  readonly folders: FolderOptions;
  readonly device: Device;
  readonly threads?: number;
  readonly memoryLimit?: number;
  readonly precision?: Precision;
  readonly noise?: NoiseKind;
  readonly gpuThreads?: number;
  /** `latent2rgb` when left out. */
  readonly previewMethod?: PreviewMethod;
  /** Whether workflows may have pictures fetched by their addresses. */
  readonly allowUrls?: boolean;
  /** Names and paths of packages of node classes. */
  readonly nodePacks?: readonly string[];
  /** Where outputs are kept beside the output folder, and how buckets are reached. */
  readonly store?: StoreSettings;
}

export type ToEngine =
  | { readonly kind: 'run'; readonly id: string; readonly task: JobTask; readonly workFolder: string }
  | { readonly kind: 'cancel'; readonly id: string }
  /** Lets go of a model file, after what runs. */
  | { readonly kind: 'free'; readonly path: string }
  | { readonly kind: 'shutdown' };

/** A node of a workflow that is about to run. */
export interface NodeSummary {
  readonly node: string;
  readonly class_type: string;
  readonly work?: NodeWork;
}

/** A run's event as another process can have it: without tensors, and with the kind of work of the node that it is about. */
type Sendable<Event> = Event extends { readonly type: 'progress' }
  ? Omit<Event, 'preview'> & { readonly work?: NodeWork }
  : Event extends { readonly class_type: string }
    ? Event & { readonly work?: NodeWork }
    : Event;

/**
 * Everything that happens while a job runs, in the words of the workflow interpreter, which are ComfyUI's. `workflow` says which
 * of the job's workflows it is about, from 0.
 */
export type JobEvent = {
  readonly workflow: number;
  /** Unix time in milliseconds, with fractions. */
  readonly at: number;
} & (
  | Sendable<RunEvent>
  /** The next of the job's workflows begins. */
  | { readonly type: 'workflow_start'; readonly nodes: readonly NodeSummary[] }
  /** A small picture of what is being sampled is on disk, in the job's own folder. */
  | { readonly type: 'preview'; readonly node: string; readonly path: string; readonly step: number }
);

/** What one node saved or showed. */
export interface NodeOutput {
  /** Which of the job's workflows, from 0; undefined for what was put together of the pictures of all of them. */
  readonly workflow?: number;
  readonly node?: string;
  readonly ui: NodeUi;
}

/** The last word on a job. */
export type JobEnd = {
  readonly id: string;
  /** Workflow by workflow; those of a job that failed, or was cancelled, are there as far as it came. */
  readonly outputs: readonly NodeOutput[];
} & (
  | { readonly kind: 'done' }
  /** `failure` is there where a node threw. */
  | { readonly kind: 'failed'; readonly error: string; readonly failure?: NodeError }
  | { readonly kind: 'cancelled' }
);

export type FromEngine =
  /** With the FLOP a second that it does, where that could be measured. */
  | { readonly kind: 'ready'; readonly speed?: number }
  /** Sent every few seconds while a job runs and the event loop turns. */
  | { readonly kind: 'alive' }
  | { readonly kind: 'event'; readonly id: string; readonly event: JobEvent }
  | JobEnd;
