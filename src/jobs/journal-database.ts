/**
 * The queue's tables. Runs in the journal's worker thread: a commit waits for the disk, and nobody else should.
 */
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { JobTask } from '../engine-process/task.js';
import type { MeasuredTime } from './estimates.js';
import type {
  Job,
  JobLoad,
  JobMetadata,
  JobOutcome,
  JobQuery,
  JobRecord,
  JobSummary,
  QueuedJob,
  StoredJob,
  SummaryQuery,
} from './job.js';
import { Deliveries } from './journal-deliveries.js';
import { Summaries } from './journal-summaries.js';
import { damaged, heal, isDamage } from './journal-health.js';
import {
  clientOf,
  PLACE,
  RECORD,
  readJson,
  toRecord,
  toStored,
  type QueuedRow,
  type RecordRow,
  type StoredRow,
  type TimeRow,
} from './journal-rows.js';
import { migrate } from './journal-schema.js';

/** A waiting job of a journal from the time of one protocol: its front makes a job of it. */
export interface OldJob {
  readonly sequence: number;
  readonly id: string;
  readonly front: string;
  readonly interruptions: number;
  readonly request: unknown;
}

/** What is to be done, and the share of it that clients were told is done, 0 to 1. */
export interface BegunJob extends Pick<Job, 'task' | 'metadata'> {
  readonly told: number;
}

export type Acceptance = Pick<QueuedJob, 'sequence' | 'place'>;

/** Changes and questions by name, with their arguments and answers. A batch of them is one transaction. */
export interface JournalOperations {
  /** Where the job stands; undefined when a job of that id waits or runs. One that is over makes room. */
  accept(job: Job, acceptedAt: number): Acceptance | undefined;
  /** Notes that an attempt begins, and returns what is to be done; undefined when the job is over. */
  begin(id: string, attempts: number, startedAt: number): BegunJob | undefined;
  /** Notes how much of a job clients may be told is done, so that no later daemon tells less. */
  tell(id: string, share: number): void;
  /** Puts a job that was begun back, with as many attempts as count. */
  requeue(id: string, attempts: number): void;
  /** False when the job is over already: the first outcome stands. */
  finish(id: string, outcome: JobOutcome, finishedAt: number): boolean;
  /** Gives a cancelled job what it did until it ended, and returns its outcome. */
  amend(id: string, end: Pick<JobOutcome, 'outputs' | 'milestones'>): JobOutcome | undefined;
  find(id: string): JobRecord | undefined;
  list(query: JobQuery): StoredJob[];
  /** Those of these ids that are known, in no order. */
  recall(ids: readonly string[]): StoredJob[];
  summaries(query: SummaryQuery): JobSummary[];
  count(which: JobQuery['which']): number;
  /** Forgets jobs that are over, those of these ids or all. */
  forget(ids: readonly string[] | 'all'): void;
  /** Whom the ends of jobs are kept for until they were told (`delivered`), from now on. */
  setHooks(hooks: readonly string[]): void;
  /** The first job whose end one of them wasn't told yet. */
  undelivered(hook: string): StoredJob | undefined;
  delivered(hook: string, sequence: number): void;
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

export class JournalDatabase implements JournalOperations {
  private readonly database: Database.Database;
  private readonly statements: ReturnType<typeof prepare>;
  private readonly deliveries: Deliveries;
  private readonly summariesOf: Summaries;
  private readonly inode: number;

  /**
   * Opens or creates the journal. A job that ran when the last daemon died is queued again, in its old place. Damaged indexes are
   * made anew. Throws an `Error` for what can't be read.
   */
  constructor(private readonly file: string) {
    this.database = new Database(file);
    // FULL makes a commit survive a power cut in WAL mode, not only a crash of the process.
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = FULL');
    heal(this.database);
    migrate(this.database, file);
    this.statements = prepare(this.database);
    this.deliveries = new Deliveries(this.database);
    this.summariesOf = new Summaries(this.database);
    this.statements.recover.run();
    this.failDamaged();
    this.inode = statSync(file).ino;
  }

  /** Jobs that can run, oldest first. */
  waiting(): QueuedJob[] {
    const jobs: QueuedJob[] = [];
    for (const { client, front, load, request, ...row } of this.statements.waiting.iterate()) {
      const known = readJson(load) as JobLoad | undefined;
      if (request === null && known !== undefined) {
        jobs.push({ ...row, client: clientOf(front, client), load: known });
      }
    }
    return jobs;
  }

  /** Jobs that wait for their front to renew them, oldest first. */
  old(): OldJob[] {
    const jobs: OldJob[] = [];
    for (const { sequence, id, front, interruptions, request } of this.statements.waiting.iterate()) {
      const known = request === null ? undefined : (readJson(request) as object | undefined);
      if (known !== undefined) jobs.push({ sequence, id, front, interruptions, request: known });
    }
    return jobs;
  }

  /** Ends the jobs whose records can't be read, with that as their error. */
  private failDamaged(): void {
    const damaged = [...this.statements.waiting.iterate()].filter(
      ({ load, request }) => readJson(request ?? load) === undefined,
    );
    const error = `the job's record in ${this.file} is damaged`;
    for (const { id } of damaged) {
      this.finish(id, { state: 'failed', outputs: [], error, durationSeconds: 0 }, Date.now());
    }
  }

  times(): MeasuredTime[] {
    return this.statements.times.all().map(({ mean_s: meanSeconds, ...rest }) => ({ ...rest, meanSeconds }));
  }

  /**
   * Applies operations in one transaction; on return they are on disk. The results stand in the operations' order. Damaged
   * indexes are made anew on the way. Throws `DamagedJournalError` where that doesn't help.
   */
  apply(operations: readonly JournalOperation[]): unknown[] {
    const all = this.database.transaction(() => operations.map((operation) => this.applyOne(operation)));
    try {
      return all();
    } catch (error) {
      if (!isDamage(error)) throw error;
      heal(this.database);
      try {
        return all();
      } catch (again) {
        if (isDamage(again)) throw damaged(error);
        throw again;
      }
    }
  }

  close(): void {
    this.database.close();
  }

  accept(job: Job, acceptedAt: number): Acceptance | undefined {
    const { id, client, priority, place = null, task, load, metadata } = job;
    this.requireFile();
    this.statements.forget.run(id);
    const { changes, lastInsertRowid } = this.statements.accept.run({
      id,
      front: client.front,
      client: client.id ?? null,
      priority,
      place: place === 'first' ? null : place,
      task: JSON.stringify(task),
      load: JSON.stringify(load),
      metadata: JSON.stringify(metadata),
      acceptedAt,
    });
    if (changes === 0) return undefined;
    const sequence = Number(lastInsertRowid);
    if (place !== 'first') return { sequence, place: place ?? sequence - 1 };
    this.statements.place.run(1 - sequence, id);
    return { sequence, place: 1 - sequence };
  }

  begin(id: string, attempts: number, startedAt: number): BegunJob | undefined {
    const row = this.statements.begin.get(attempts, startedAt, id);
    if (row === undefined) return undefined;
    const task = readJson(row.task) as JobTask | undefined;
    if (task === undefined) {
      const error = `the job's record in ${this.file} is damaged`;
      this.finish(id, { state: 'failed', outputs: [], error, durationSeconds: 0 }, startedAt);
      return undefined;
    }
    return { task, metadata: (readJson(row.metadata) as JobMetadata | undefined) ?? {}, told: row.told };
  }

  tell(id: string, share: number): void {
    this.statements.tell.run(share, id);
  }

  requeue(id: string, attempts: number): void {
    this.statements.requeue.run(attempts, id);
  }

  finish(id: string, outcome: JobOutcome, finishedAt: number): boolean {
    const { state, outputs, error, failure, milestones, durationSeconds } = outcome;
    const { changes } = this.statements.finish.run({
      id,
      state,
      finishedAt,
      outputs: JSON.stringify(outputs),
      error: error ?? null,
      failure: failure === undefined ? null : JSON.stringify(failure),
      milestones: milestones === undefined ? null : JSON.stringify(milestones),
      seconds: durationSeconds,
    });
    if (changes > 0) this.deliveries.noteEnd(id);
    return changes > 0;
  }

  find(id: string): JobRecord | undefined {
    const row = this.statements.find.get(id);
    return row === undefined ? undefined : toRecord(row);
  }

  amend(id: string, { outputs, milestones = [] }: Pick<JobOutcome, 'outputs' | 'milestones'>) {
    this.statements.amend.run(JSON.stringify(outputs), JSON.stringify(milestones), id);
    return this.find(id)?.outcome;
  }

  list({ which, first, limit = -1, offset = 0 }: JobQuery): StoredJob[] {
    return this.statements.list[which][first].all(limit, offset).map(toStored);
  }

  recall(ids: readonly string[]): StoredJob[] {
    return this.statements.recall.all(JSON.stringify(ids)).map(toStored);
  }

  summaries(query: SummaryQuery): JobSummary[] {
    return this.summariesOf.read(query);
  }

  count(which: JobQuery['which']): number {
    return this.statements.count[which].get()?.count ?? 0;
  }

  forget(ids: readonly string[] | 'all'): void {
    if (ids === 'all') this.statements.forgetAll.run();
    else for (const id of ids) this.statements.forget.run(id);
  }

  setHooks(hooks: readonly string[]): void {
    this.deliveries.setHooks(hooks);
  }

  undelivered(hook: string): StoredJob | undefined {
    return this.deliveries.next(hook);
  }

  delivered(hook: string, sequence: number): void {
    this.deliveries.done(hook, sequence);
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

  /** What is written into a file that was removed is lost with the process. */
  private requireFile(): void {
    if (statSync(this.file, { throwIfNoEntry: false })?.ino === this.inode) return;
    throw new Error(`${this.file} was removed or replaced while the daemon uses it; restart the daemon`);
  }

  private applyOne({ name, args }: JournalOperation): unknown {
    // Each name has its own arguments, which the union pairs and a call by name can't.
    const tables = this as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
    return tables[name]!(...args);
  }
}

const UNFINISHED = 'finished_at IS NULL';
const OVER = 'finished_at IS NOT NULL';
/** As its index has it. */
const RAN = `finished_at IS NOT NULL AND (started_at IS NOT NULL OR state <> 'cancelled')`;
const BY_END = 'finished_at, sequence';
const BY_END_BACKWARDS = 'finished_at DESC, sequence DESC';

function prepare(database: Database.Database) {
  const count = (where: string) =>
    database.prepare<[], { readonly count: number }>(`SELECT count(*) AS count FROM job WHERE ${where}`);
  // First which ones, from an index: the rows have long texts.
  const list = (where: string, order: string) =>
    database.prepare<[limit: number, offset: number], StoredRow>(
      `SELECT ${RECORD}, task FROM job
       WHERE sequence IN (SELECT sequence FROM job WHERE ${where} ORDER BY ${order} LIMIT ? OFFSET ?)
       ORDER BY ${order}`,
    );
  return {
    recover: database.prepare<[]>(
      `UPDATE job SET state = 'queued', attempts = attempts - 1, interruptions = interruptions + 1
       WHERE finished_at IS NULL AND state = 'running'`,
    ),
    waiting: database.prepare<[], QueuedRow>(
      `SELECT sequence, ${PLACE}, id, front, client, priority, load, request, interruptions FROM job
       WHERE finished_at IS NULL ORDER BY sequence`,
    ),
    times: database.prepare<[], TimeRow>('SELECT * FROM measured_time'),
    accept: database.prepare<Readonly<Record<string, string | number | null>>>(
      `INSERT INTO job (id, front, client, priority, place, state, task, load, metadata, accepted_at)
       VALUES (@id, @front, @client, @priority, @place, 'queued', @task, @load, @metadata, @acceptedAt) ON CONFLICT DO NOTHING`,
    ),
    forget: database.prepare<[id: string]>('DELETE FROM job WHERE id = ? AND finished_at IS NOT NULL'),
    forgetAll: database.prepare<[]>('DELETE FROM job WHERE finished_at IS NOT NULL'),
    place: database.prepare<[place: number, id: string]>('UPDATE job SET place = ? WHERE id = ?'),
    begin: database.prepare<
      [attempts: number, startedAt: number, id: string],
      { readonly task: string; readonly metadata: string; readonly told: number }
    >(
      `UPDATE job SET state = 'running', attempts = ?, started_at = ifnull(started_at, ?)
       WHERE id = ? AND finished_at IS NULL RETURNING task, metadata, told`,
    ),
    tell: database.prepare<[share: number, id: string]>(
      'UPDATE job SET told = ? WHERE id = ? AND finished_at IS NULL',
    ),
    requeue: database.prepare<[attempts: number, id: string]>(
      `UPDATE job SET state = 'queued', attempts = ? WHERE id = ? AND finished_at IS NULL`,
    ),
    finish: database.prepare<Readonly<Record<string, string | number | null>>>(
      `UPDATE job SET state = @state, finished_at = @finishedAt, outputs = @outputs, error = @error, failure = @failure,
         milestones = @milestones, duration_s = @seconds, request = NULL
       WHERE id = @id AND finished_at IS NULL`,
    ),
    amend: database.prepare<[outputs: string, milestones: string, id: string]>(
      'UPDATE job SET outputs = ?, milestones = ? WHERE id = ? AND finished_at IS NOT NULL',
    ),
    find: database.prepare<[id: string], RecordRow>(`SELECT ${RECORD} FROM job WHERE id = ?`),
    list: {
      unfinished: { oldest: list(UNFINISHED, 'sequence'), newest: list(UNFINISHED, 'sequence DESC') },
      over: { oldest: list(OVER, BY_END), newest: list(OVER, BY_END_BACKWARDS) },
      ran: { oldest: list(RAN, BY_END), newest: list(RAN, BY_END_BACKWARDS) },
    },
    count: { unfinished: count(UNFINISHED), over: count(OVER), ran: count(RAN) },
    recall: database.prepare<[ids: string], StoredRow>(
      `SELECT ${RECORD}, task FROM job WHERE id IN (SELECT value FROM json_each(?))`,
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
