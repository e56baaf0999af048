/** A job as the queue and the journal know it. It belongs to no protocol: fronts turn their clients' requests into it. */
import type { JobEvent, NodeOutput } from '../engine-process/messages.js';
import type { JobTask } from '../engine-process/task.js';
import type { NodeError } from '../workflow/events.js';
import type { Json } from '../workflow/literal.js';

/** Who asked for a job. */
export interface JobClient {
  /** The front that took it. */
  readonly front: string;
  /** What the front calls the client, where it tells them apart. */
  readonly id?: string;
}

/** What decides how long a job takes. */
export interface JobLoad {
  readonly model: string;
  /** Width times height of one image. */
  readonly pixels: number;
  readonly steps: number;
  readonly images: number;
}

/** Whatever a front wants to find again with a job, as long as the journal knows it. Nothing else reads it. */
export type JobMetadata = Readonly<Record<string, Json>>;

/** A checked job: everything that is needed to run it, again after a crash as well. */
export interface Job {
  readonly id: string;
  readonly client: JobClient;
  /** Higher ones run first, equals in the order of their acceptance; an integer, 0 for most. */
  readonly priority: number;
  /**
   * Among those of its priority, lower ones run first; any number. Where it is left out, it is the jobs accepted before it.
   * `first` is before all that have no place of their own: minus that number, as ComfyUI counts.
   */
  readonly place?: number | 'first';
  readonly task: JobTask;
  readonly load: JobLoad;
  readonly metadata: JobMetadata;
}

/** A job in the queue, without its workflows: those of a long queue stay on the disk. */
export interface QueuedJob extends Pick<Job, 'id' | 'client' | 'priority' | 'load'> {
  /** Of its acceptance. No two jobs have the same, also where one uses the id of another that is over. */
  readonly sequence: number;
  /** Of jobs of one priority, the lower ones run first. */
  readonly place: number;
  /** Times that a daemon died while it ran. */
  readonly interruptions: number;
}

export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface JobOutcome {
  readonly state: 'completed' | 'failed' | 'cancelled';
  readonly outputs: readonly NodeOutput[];
  readonly error?: string;
  /** Where a node threw. */
  readonly failure?: NodeError;
  /** What its last attempt told, but for what each node did. */
  readonly milestones?: readonly Milestone[];
  readonly durationSeconds: number;
}

/** A message about a workflow of a job as a whole. */
export type Milestone = Extract<JobEvent, { readonly type: `execution_${string}` }>;

/** What is known of a job, whatever became of it. Times are Unix milliseconds. */
export interface JobRecord {
  readonly id: string;
  readonly sequence: number;
  readonly place: number;
  readonly client: JobClient;
  readonly metadata: JobMetadata;
  readonly state: JobState;
  readonly attempts: number;
  readonly acceptedAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly outcome?: JobOutcome;
}

/** A job with what it runs, whatever became of it. Jobs that an older version has ended are without. */
export interface StoredJob extends JobRecord {
  readonly task?: JobTask;
}

/** What a list says of a job. Times are Unix milliseconds. */
export interface JobSummary extends Pick<
  JobRecord,
  'id' | 'client' | 'state' | 'attempts' | 'acceptedAt' | 'startedAt' | 'finishedAt'
> {
  readonly durationSeconds?: number;
  /** Its beginning. */
  readonly error?: string;
}

/** Which jobs to list in a line each, the newest first. */
export interface SummaryQuery {
  readonly which: 'unfinished' | 'over' | 'all';
  /** What their ids begin with. */
  readonly prefix?: string;
  readonly limit: number;
}

/** Which jobs to list. */
export interface JobQuery {
  /**
   * Those that wait or run, in the order of their acceptance; those that are over, in that of their ends; or of these, all but
   * those that were cancelled before they began.
   */
  readonly which: 'unfinished' | 'over' | 'ran';
  readonly first: 'oldest' | 'newest';
  /** All when left out. */
  readonly limit?: number;
  readonly offset?: number;
}
