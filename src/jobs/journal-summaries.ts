/** Jobs in a line each, for lists: without what they run, and without what their nodes told. */
import type Database from 'better-sqlite3';
import type { JobState, JobSummary, SummaryQuery } from './job.js';
import { clientOf } from './journal-rows.js';

interface SummaryRow {
  readonly id: string;
  readonly front: string;
  readonly client: string | null;
  readonly state: JobState;
  readonly attempts: number;
  readonly accepted_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly duration_s: number | null;
  readonly error: string | null;
}

/** Characters of an error that a list has room for. */
const MAX_ERROR = 200;

/** Indexes find them, so that a list of some costs no more where there are many. */
const WHERE: Readonly<Record<SummaryQuery['which'], string>> = {
  all: 'TRUE',
  unfinished: 'finished_at IS NULL',
  over: 'finished_at IS NOT NULL',
};

type Parameters = [prefix: string, after: string, limit: number];

export class Summaries {
  private readonly statements: Readonly<
    Record<SummaryQuery['which'], Database.Statement<Parameters, SummaryRow>>
  >;

  constructor(database: Database.Database) {
    const prepare = (where: string) =>
      database.prepare<Parameters, SummaryRow>(
        `SELECT id, front, client, state, attempts, accepted_at, started_at, finished_at, duration_s,
           substr(error, 1, ${MAX_ERROR}) AS error
         FROM job WHERE ${where} AND id >= ? AND id < ? ORDER BY sequence DESC LIMIT ?`,
      );
    this.statements = {
      all: prepare(WHERE.all),
      unfinished: prepare(WHERE.unfinished),
      over: prepare(WHERE.over),
    };
  }

  /** The newest first. */
  read({ which, prefix = '', limit }: SummaryQuery): JobSummary[] {
    // Nothing that begins with the prefix sorts behind the prefix and the last code point there is.
    return this.statements[which].all(prefix, `${prefix}\u{10ffff}`, limit).map(toSummary);
  }
}

function toSummary(row: SummaryRow): JobSummary {
  return {
    id: row.id,
    client: clientOf(row.front, row.client),
    state: row.state,
    attempts: row.attempts,
    acceptedAt: row.accepted_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
    ...(row.duration_s !== null && { durationSeconds: row.duration_s }),
    ...(row.error !== null && { error: row.error }),
  };
}
