/**
 * The queue's tables. Runs in the journal's worker thread: a commit waits for the disk, and nobody else should.
 */
import Database from 'better-sqlite3';
import type { JobTask } from '../engine-process/task.js';
import type { NodeError } from '../workflow/events.js';
import type { MeasuredTime } from './estimates.js';
import type { Job, JobLoad, JobMetadata, JobOutcome, JobRecord, JobState, QueuedJob } from './job.js';
import { migrate } from './journal-schema.js';

/** A waiting job of a journal from the time of one protocol: its front makes a job of it. */
export interface OldJob {
  readonly sequence: number;
  readonly id: string;
  readonly front: string;
  readonly interruptions: number;
  readonly request: unknown;
}

/** Changes and questions by name, with their arguments and answers. A batch of them is one transaction. */
export interface JournalOperations {
  /** The job's sequence; undefined when there is or was a job of that id. */
  accept(job: Job, acceptedAt: number): number | undefined;
  /** Notes that an attempt begins, and returns what is to be done; undefined when the job is over. */
  begin(id: string, attempts: number, startedAt: number): Pick<Job, 'task' | 'metadata'> | undefined;
  /** Puts a job that was begun back, with as many attempts as count. */
  requeue(id: string, attempts: number): void;
  /** False when the job is over already: the first outcome stands. */
  finish(id: string, outcome: JobOutcome, finishedAt: number): boolean;
  find(id: string): JobRecord | undefined;
  /** Gives an old job what its front has made of it. */
  renew(job: Job): void;
  /** Forgets finished jobs older than `finishedBefore` (Unix ms) and all but the newest `keep`; returns how many. */
  prune(finishedBefore: number, keep: number): number;
  recordTimes(times: readonly MeasuredTime[]): void;
}

export type JournalOperation = {
  [Name in keyof JournalOperations]: {
    readonly name: Name;
    readonly args: Parameters<JournalOperations[Name]>;
  };
}[keyof JournalOperations];

// Rows as SQLite's STRICT tables and the queries below guarantee them.

interface QueuedRow {
  readonly sequence: number;
  readonly id: string;
  readonly front: string;
  readonly client: string | null;
  readonly priority: number;
  readonly load: string;
  readonly request: string | null;
  readonly interruptions: number;
}

interface RecordRow {
  readonly id: string;
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
  readonly duration_s: number | null;
}

interface TimeRow extends Omit<MeasuredTime, 'meanSeconds'> {
  readonly mean_s: number;
}

export class JournalDatabase implements JournalOperations {
  private readonly database: Database.Database;
  private readonly statements: ReturnType<typeof prepare>;

  /** Opens or creates the journal. A job that ran when the last daemon died is queued again, in its old place. */
  constructor(file: string) {
    this.database = new Database(file);
    // FULL makes a commit survive a power cut in WAL mode, not only a crash of the process.
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = FULL');
    migrate(this.database, file);
    this.statements = prepare(this.database);
    this.statements.recover.run();
  }

  /** Jobs that can run, oldest first. */
  waiting(): QueuedJob[] {
    const jobs: QueuedJob[] = [];
    for (const { client, front, load, request, ...row } of this.statements.waiting.iterate()) {
      if (request === null)
        jobs.push({ ...row, client: clientOf(front, client), load: JSON.parse(load) as JobLoad });
    }
    return jobs;
  }

  /** Jobs that wait for their front to renew them, oldest first. */
  old(): OldJob[] {
    const jobs: OldJob[] = [];
    for (const { sequence, id, front, interruptions, request } of this.statements.waiting.iterate()) {
      if (request !== null)
        jobs.push({ sequence, id, front, interruptions, request: JSON.parse(request) as unknown });
    }
    return jobs;
  }

  times(): MeasuredTime[] {
    return this.statements.times.all().map(({ mean_s: meanSeconds, ...rest }) => ({ ...rest, meanSeconds }));
  }

  /** Applies operations in one transaction; on return they are on disk. The results stand in the operations' order. */
  apply(operations: readonly JournalOperation[]): unknown[] {
    return this.database.transaction(() => operations.map((operation) => this.applyOne(operation)))();
  }

  close(): void {
    this.database.close();
  }

  accept(job: Job, acceptedAt: number): number | undefined {
    const { id, client, priority, task, load, metadata } = job;
    const { changes, lastInsertRowid } = this.statements.accept.run({
      id,
      front: client.front,
      client: client.id ?? null,
      priority,
      task: JSON.stringify(task),
      load: JSON.stringify(load),
      metadata: JSON.stringify(metadata),
      acceptedAt,
    });
    return changes > 0 ? Number(lastInsertRowid) : undefined;
  }

  begin(id: string, attempts: number, startedAt: number): Pick<Job, 'task' | 'metadata'> | undefined {
    const row = this.statements.begin.get(attempts, startedAt, id);
    if (row === undefined) return undefined;
    return { task: JSON.parse(row.task) as JobTask, metadata: JSON.parse(row.metadata) as JobMetadata };
  }

  requeue(id: string, attempts: number): void {
    this.statements.requeue.run(attempts, id);
  }

  finish(id: string, outcome: JobOutcome, finishedAt: number): boolean {
    const { state, outputs, error, failure, durationSeconds } = outcome;
    const { changes } = this.statements.finish.run({
      id,
      state,
      finishedAt,
      outputs: JSON.stringify(outputs),
      error: error ?? null,
      failure: failure === undefined ? null : JSON.stringify(failure),
      seconds: durationSeconds,
    });
    return changes > 0;
  }

  find(id: string): JobRecord | undefined {
    const row = this.statements.find.get(id);
    return row === undefined ? undefined : toRecord(row);
  }

  renew({ id, client, priority, task, load, metadata }: Job): void {
    this.statements.renew.run({
      id,
      client: client.id ?? null,
      priority,
      task: JSON.stringify(task),
      load: JSON.stringify(load),
      metadata: JSON.stringify(metadata),
    });
  }

  prune(finishedBefore: number, keep: number): number {
    return this.statements.prune.run(finishedBefore, keep).changes;
  }

  recordTimes(times: readonly MeasuredTime[]): void {
    for (const { model, pixels, measure, count, meanSeconds } of times) {
      this.statements.recordTime.run(model, pixels, measure, count, meanSeconds);
    }
  }

  private applyOne(operation: JournalOperation): unknown {
    switch (operation.name) {
      case 'accept':
        return this.accept(...operation.args);
      case 'begin':
        return this.begin(...operation.args);
      case 'requeue':
        this.requeue(...operation.args);
        return undefined;
      case 'finish':
        return this.finish(...operation.args);
      case 'find':
        return this.find(...operation.args);
      case 'renew':
        this.renew(...operation.args);
        return undefined;
      case 'prune':
        return this.prune(...operation.args);
      case 'recordTimes':
        this.recordTimes(...operation.args);
        return undefined;
    }
  }
}

function prepare(database: Database.Database) {
  return {
    recover: database.prepare<[]>(
      `UPDATE job SET state = 'queued', attempts = attempts - 1, interruptions = interruptions + 1
       WHERE finished_at IS NULL AND state = 'running'`,
    ),
    waiting: database.prepare<[], QueuedRow>(
      `SELECT sequence, id, front, client, priority, load, request, interruptions FROM job
       WHERE finished_at IS NULL ORDER BY sequence`,
    ),
    times: database.prepare<[], TimeRow>('SELECT * FROM measured_time'),
    accept: database.prepare<Readonly<Record<string, string | number | null>>>(
      `INSERT INTO job (id, front, client, priority, state, task, load, metadata, accepted_at)
       VALUES (@id, @front, @client, @priority, 'queued', @task, @load, @metadata, @acceptedAt) ON CONFLICT DO NOTHING`,
    ),
    begin: database.prepare<
      [attempts: number, startedAt: number, id: string],
      { readonly task: string; readonly metadata: string }
    >(
      `UPDATE job SET state = 'running', attempts = ?, started_at = ifnull(started_at, ?)
       WHERE id = ? AND finished_at IS NULL RETURNING task, metadata`,
    ),
    requeue: database.prepare<[attempts: number, id: string]>(
      `UPDATE job SET state = 'queued', attempts = ? WHERE id = ? AND finished_at IS NULL`,
    ),
    finish: database.prepare<Readonly<Record<string, string | number | null>>>(
      // The workflows may be long, and nobody needs them any more.
      `UPDATE job SET state = @state, finished_at = @finishedAt, outputs = @outputs, error = @error, failure = @failure,
         duration_s = @seconds, task = '', request = NULL
       WHERE id = @id AND finished_at IS NULL`,
    ),
    find: database.prepare<[id: string], RecordRow>(
      `SELECT id, front, client, metadata, state, attempts, accepted_at, started_at, finished_at, outputs, error, failure,
         duration_s FROM job WHERE id = ?`,
    ),
    renew: database.prepare<Readonly<Record<string, string | number | null>>>(
      `UPDATE job SET client = @client, priority = @priority, task = @task, load = @load, metadata = @metadata, request = NULL
       WHERE id = @id AND finished_at IS NULL`,
    ),
    prune: database.prepare<[finishedBefore: number, keep: number]>(
      `DELETE FROM job WHERE finished_at < ? OR sequence IN
         (SELECT sequence FROM job WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, sequence DESC
          LIMIT -1 OFFSET ?)`,
    ),
    recordTime: database.prepare<
      [model: string, pixels: number, measure: string, count: number, meanSeconds: number]
    >('INSERT OR REPLACE INTO measured_time VALUES (?, ?, ?, ?, ?)'),
  };
}

function clientOf(front: string, id: string | null) {
  return { front, ...(id !== null && { id }) };
}

function toRecord(row: RecordRow): JobRecord {
  const { id, state, attempts, duration_s: seconds } = row;
  const record = {
    id,
    client: clientOf(row.front, row.client),
    metadata: JSON.parse(row.metadata) as JobMetadata,
    state,
    attempts,
    acceptedAt: row.accepted_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
  };
  if (state === 'queued' || state === 'running') return record;
  const outcome: JobOutcome = {
    state,
    outputs: JSON.parse(row.outputs ?? '[]') as JobOutcome['outputs'],
    durationSeconds: seconds ?? 0,
    ...(row.error !== null && { error: row.error }),
    ...(row.failure !== null && { failure: JSON.parse(row.failure) as NodeError }),
  };
  return { ...record, outcome };
}
