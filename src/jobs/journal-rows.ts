/** What the journal's rows say. */
import type { JobTask } from '../engine-process/task.js';
import type { NodeError } from '../workflow/events.js';
import type { MeasuredTime } from './estimates.js';
import type { JobClient, JobMetadata, JobOutcome, JobRecord, JobState, StoredJob } from './job.js';

// Rows as SQLite's STRICT tables and the queries below guarantee them.

export interface QueuedRow {
  readonly sequence: number;
  readonly place: number;
  readonly id: string;
  readonly front: string;
  readonly client: string | null;
  readonly priority: number;
  readonly load: string;
  readonly request: string | null;
  readonly interruptions: number;
}

export interface RecordRow {
  readonly id: string;
  readonly sequence: number;
  readonly place: number;
  readonly front: string;
  readonly client: string | null;
  readonly metadata: string;
  readonly state: JobState;
  readonly attempts: number;
  readonly accepted_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly outputs: string | null;
  readonly error: string | null;
  readonly failure: string | null;
  readonly milestones: string | null;
  readonly duration_s: number | null;
}

export interface StoredRow extends RecordRow {
  /** Empty where an older version has ended the job. */
  readonly task: string;
}

export interface TimeRow extends Omit<MeasuredTime, 'meanSeconds'> {
  readonly mean_s: number;
}

/** Where a job stands. */
export const PLACE = 'ifnull(place, sequence - 1) AS place';

/** The columns of a `RecordRow`. */
export const RECORD = `id, sequence, ${PLACE}, front, client, metadata, state, attempts, accepted_at, started_at, finished_at, outputs, error,
  failure, milestones, duration_s`;

/** Undefined for a text that is damaged. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function clientOf(front: string, id: string | null): JobClient {
  return { front, ...(id !== null && { id }) };
}

export function toRecord(row: RecordRow): JobRecord {
  const { id, sequence, place, state, attempts, duration_s: seconds } = row;
  const milestones = row.milestones === null ? undefined : readJson(row.milestones);
  const record = {
    id,
    sequence,
    place,
    client: clientOf(row.front, row.client),
    metadata: (readJson(row.metadata) as JobMetadata | undefined) ?? {},
    state,
    attempts,
    acceptedAt: row.accepted_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
  };
  if (state === 'queued' || state === 'running') return record;
  const failure = row.failure === null ? undefined : (readJson(row.failure) as NodeError | undefined);
  const outcome: JobOutcome = {
    state,
    outputs: (readJson(row.outputs ?? '[]') as JobOutcome['outputs'] | undefined) ?? [],
    durationSeconds: seconds ?? 0,
    ...(row.error !== null && { error: row.error }),
    ...(failure !== undefined && { failure }),
    ...(Array.isArray(milestones) && { milestones: milestones as NonNullable<JobOutcome['milestones']> }),
  };
  return { ...record, outcome };
}

export function toStored(row: StoredRow): StoredJob {
  const task = row.task === '' ? undefined : (readJson(row.task) as JobTask | undefined);
  return { ...toRecord(row), ...(task !== undefined && { task }) };
}
