/**
 * The queue's tables. Runs in the journal's worker thread: a commit waits for the disk, and nobody else should.
 */
import Database from 'better-sqlite3';
import {
  loadOf,
  type JobLoad,
  type JobOutcome,
  type JobRequest,
  type JobState,
} from '../engine-process/job.js';

const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE job (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    request TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    accepted_at INTEGER NOT NULL,
    finished_at INTEGER,
    image_path TEXT,
    error TEXT,
    duration_s REAL
  ) STRICT;
  CREATE INDEX unfinished_job ON job (sequence) WHERE finished_at IS NULL;
  CREATE INDEX finished_job ON job (finished_at) WHERE finished_at IS NOT NULL;
  CREATE TABLE stage_time (
    model TEXT NOT NULL,
    pixels INTEGER NOT NULL,
    stage TEXT NOT NULL,
    count INTEGER NOT NULL,
    mean_s REAL NOT NULL,
    PRIMARY KEY (model, pixels, stage)
  ) STRICT, WITHOUT ROWID;
`;

/** A job that waits, without the request itself: a queue of long workflows stays on the disk. */
export interface WaitingJob {
  readonly id: string;
  readonly load: JobLoad;
  /** Times that a daemon died while it ran. */
  readonly interruptions: number;
}

/** What is known of a job, whatever became of it. */
export interface JobRecord {
  readonly id: string;
  readonly state: JobState;
  readonly attempts: number;
  readonly outcome?: JobOutcome;
}

/** Seconds that a stage took on average, for a model and image area; for sampling, of one step. */
export interface StageTime {
  readonly model: string;
  readonly pixels: number;
  readonly stage: string;
  readonly count: number;
  readonly meanSeconds: number;
}

/** Changes and questions by name, with their arguments and answers. A batch of them is one transaction. */
export interface JournalOperations {
  /** False when there is or was a job of that id. */
  accept(id: string, request: JobRequest, acceptedAt: number): boolean;
  /** Notes that an attempt begins, and returns what is to be done; undefined when the job is over. */
  begin(id: string, attempts: number): JobRequest | undefined;
  /** Puts a job that was begun back, with as many attempts as count. */
  requeue(id: string, attempts: number): void;
  /** False when the job is over already: the first outcome stands. */
  finish(id: string, outcome: JobOutcome, finishedAt: number): boolean;
  find(id: string): JobRecord | undefined;
  /** Forgets finished jobs older than `finishedBefore` (Unix ms) and all but the newest `keep`; returns how many. */
  prune(finishedBefore: number, keep: number): number;
  recordStageTimes(times: readonly StageTime[]): void;
}

export type JournalOperation = {
  [Name in keyof JournalOperations]: {
    readonly name: Name;
    readonly args: Parameters<JournalOperations[Name]>;
  };
}[keyof JournalOperations];

// Rows as SQLite's STRICT tables and the queries below guarantee them.

interface RecordRow {
  readonly id: string;
  readonly state: JobState;
  readonly attempts: number;
  readonly image_path: string | null;
  readonly error: string | null;
  readonly duration_s: number | null;
}

interface StageRow extends Omit<StageTime, 'meanSeconds'> {
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

  /** Oldest first. */
  waiting(): WaitingJob[] {
    const jobs: WaitingJob[] = [];
    for (const { id, request, interruptions } of this.statements.waiting.iterate()) {
      jobs.push({ id, load: loadOf(parseRequest(request)), interruptions });
    }
    return jobs;
  }

  stageTimes(): StageTime[] {
    return this.statements.stageTimes
      .all()
      .map(({ mean_s: meanSeconds, ...rest }) => ({ ...rest, meanSeconds }));
  }

  /** Applies operations in one transaction; on return they are on disk. The results stand in the operations' order. */
  apply(operations: readonly JournalOperation[]): unknown[] {
    return this.database.transaction(() => operations.map((operation) => this.applyOne(operation)))();
  }

  close(): void {
    this.database.close();
  }

  accept(id: string, request: JobRequest, acceptedAt: number): boolean {
    return this.statements.accept.run(id, JSON.stringify(request), acceptedAt).changes > 0;
  }

  begin(id: string, attempts: number): JobRequest | undefined {
    const row = this.statements.begin.get(attempts, id);
    return row === undefined ? undefined : parseRequest(row.request);
  }

  requeue(id: string, attempts: number): void {
    this.statements.requeue.run(attempts, id);
  }

  finish(id: string, outcome: JobOutcome, finishedAt: number): boolean {
    const { state, imagePath, error, durationSeconds } = outcome;
    const { changes } = this.statements.finish.run(
      state,
      finishedAt,
      imagePath ?? null,
      error ?? null,
      durationSeconds,
      id,
    );
    return changes > 0;
  }

  find(id: string): JobRecord | undefined {
    const row = this.statements.find.get(id);
    return row === undefined ? undefined : toRecord(row);
  }

  prune(finishedBefore: number, keep: number): number {
    return this.statements.prune.run(finishedBefore, keep).changes;
  }

  recordStageTimes(times: readonly StageTime[]): void {
    for (const { model, pixels, stage, count, meanSeconds } of times) {
      this.statements.recordStageTime.run(model, pixels, stage, count, meanSeconds);
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
      case 'prune':
        return this.prune(...operation.args);
      case 'recordStageTimes':
        this.recordStageTimes(...operation.args);
        return undefined;
    }
  }
}

function migrate(database: Database.Database, file: string): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `${file} was written by a newer latentd (schema ${version}, this one knows ${SCHEMA_VERSION})`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  database.transaction(() => {
    database.exec(SCHEMA);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}

function prepare(database: Database.Database) {
  return {
    recover: database.prepare<[]>(
      `UPDATE job SET state = 'queued', attempts = attempts - 1, interruptions = interruptions + 1
       WHERE finished_at IS NULL AND state = 'running'`,
    ),
    waiting: database.prepare<[], { id: string; request: string; interruptions: number }>(
      'SELECT id, request, interruptions FROM job WHERE finished_at IS NULL ORDER BY sequence',
    ),
    stageTimes: database.prepare<[], StageRow>('SELECT * FROM stage_time'),
    accept: database.prepare<[id: string, request: string, acceptedAt: number]>(
      `INSERT INTO job (id, state, request, accepted_at) VALUES (?, 'queued', ?, ?) ON CONFLICT DO NOTHING`,
    ),
    begin: database.prepare<[attempts: number, id: string], { request: string }>(
      `UPDATE job SET state = 'running', attempts = ? WHERE id = ? AND finished_at IS NULL RETURNING request`,
    ),
    requeue: database.prepare<[attempts: number, id: string]>(
      `UPDATE job SET state = 'queued', attempts = ? WHERE id = ? AND finished_at IS NULL`,
    ),
    finish: database.prepare<
      [
        state: string,
        finishedAt: number,
        path: string | null,
        error: string | null,
        seconds: number,
        id: string,
      ]
    >(
      // The request may be long, and nobody needs it any more.
      `UPDATE job SET state = ?, finished_at = ?, image_path = ?, error = ?, duration_s = ?, request = ''
       WHERE id = ? AND finished_at IS NULL`,
    ),
    find: database.prepare<[id: string], RecordRow>(
      'SELECT id, state, attempts, image_path, error, duration_s FROM job WHERE id = ?',
    ),
    prune: database.prepare<[finishedBefore: number, keep: number]>(
      `DELETE FROM job WHERE finished_at < ? OR sequence IN
         (SELECT sequence FROM job WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, sequence DESC
          LIMIT -1 OFFSET ?)`,
    ),
    recordStageTime: database.prepare<
      [model: string, pixels: number, stage: string, count: number, meanSeconds: number]
    >('INSERT OR REPLACE INTO stage_time VALUES (?, ?, ?, ?, ?)'),
  };
}

function parseRequest(text: string): JobRequest {
  return JSON.parse(text) as JobRequest;
}

function toRecord({ id, state, attempts, image_path, error, duration_s }: RecordRow): JobRecord {
  if (state === 'queued' || state === 'running') return { id, state, attempts };
  const outcome: JobOutcome = {
    state,
    durationSeconds: duration_s ?? 0,
    ...(image_path !== null && { imagePath: image_path }),
    ...(error !== null && { error }),
  };
  return { id, state, attempts, outcome };
}
