/** The journal's tables, and how those of an older version become them. */
import type Database from 'better-sqlite3';

const SCHEMA_VERSION = 5;

/** Ends of jobs that a webhook wasn't told yet. */
const DELIVERIES = `
  CREATE TABLE delivery (
    hook TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (hook, sequence)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * `request` of a job that is over, or not of version 1, is null: version 1 kept its only protocol's requests, and the front of
 * that protocol turns those of jobs that still wait into tasks. `place` is null where it follows from `sequence`.
 */
const SCHEMA = `${DELIVERIES}
  CREATE TABLE job (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    front TEXT NOT NULL,
    client TEXT,
    priority INTEGER NOT NULL,
    place REAL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    task TEXT NOT NULL,
    request TEXT,
    load TEXT NOT NULL,
    metadata TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    told REAL NOT NULL DEFAULT 0,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    outputs TEXT,
    error TEXT,
    failure TEXT,
    milestones TEXT,
    duration_s REAL
  ) STRICT;
  CREATE INDEX unfinished_job ON job (sequence) WHERE finished_at IS NULL;
  CREATE INDEX finished_job ON job (finished_at) WHERE finished_at IS NOT NULL;
  CREATE INDEX ran_job ON job (finished_at) WHERE finished_at IS NOT NULL AND (started_at IS NOT NULL OR state <> 'cancelled');
  CREATE TABLE measured_time (
    model TEXT NOT NULL,
    pixels INTEGER NOT NULL,
    measure TEXT NOT NULL,
    count INTEGER NOT NULL,
    mean_s REAL NOT NULL,
    PRIMARY KEY (model, pixels, measure)
  ) STRICT, WITHOUT ROWID;
`;

/** Version 1 was DGX-Pixels' alone: its stages are phases, its requests wait for its front, its pictures are outputs. */
const FROM_VERSION_1 = `
  ALTER TABLE job RENAME TO old_job;
  DROP INDEX unfinished_job;
  DROP INDEX finished_job;
  ${SCHEMA}
  INSERT INTO job (sequence, id, front, priority, state, task, request, load, metadata, attempts, interruptions, accepted_at,
      finished_at, outputs, error, duration_s)
    SELECT sequence, id, 'dgx-pixels', 0, state, '', CASE WHEN finished_at IS NULL THEN request END, '', '{}', attempts,
      interruptions, accepted_at, finished_at,
      CASE WHEN finished_at IS NULL THEN NULL WHEN image_path IS NULL THEN '[]'
        ELSE json_array(json_object('ui', json_object('images', json_array(json_object(
          'filename', '', 'subfolder', '', 'type', 'output', 'path', image_path))))) END,
      error, duration_s
    FROM old_job ORDER BY sequence;
  DROP TABLE old_job;
  INSERT INTO measured_time
    SELECT model, pixels, CASE stage WHEN 'initializing' THEN 'preparing' WHEN 'loading_models' THEN 'loading'
      WHEN 'loading_models (warm)' THEN 'loading (warm)' WHEN 'post_processing' THEN 'finishing' ELSE stage END, count, mean_s
    FROM stage_time;
  DROP TABLE stage_time;
`;

const FROM_VERSION_3 = `${DELIVERIES}
  ALTER TABLE job ADD COLUMN place REAL;
  ALTER TABLE job ADD COLUMN milestones TEXT;
  CREATE INDEX ran_job ON job (finished_at) WHERE finished_at IS NOT NULL AND (started_at IS NOT NULL OR state <> 'cancelled');
`;

const FROM_VERSION_2 = `ALTER TABLE job ADD COLUMN told REAL NOT NULL DEFAULT 0; ${FROM_VERSION_3}`;

/** What makes the tables of today out of those of a version. */
const STEPS: Readonly<Record<number, string>> = {
  0: SCHEMA,
  1: FROM_VERSION_1,
  2: FROM_VERSION_2,
  3: FROM_VERSION_3,
  4: DELIVERIES,
};

/** Makes the tables, or brings them up to date. Throws an `Error` for a journal of a newer version. */
export function migrate(database: Database.Database, file: string): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `${file} was written by a newer latentd (schema ${version}, this one knows ${SCHEMA_VERSION})`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  database.transaction(() => {
    database.exec(STEPS[version] ?? SCHEMA);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}
