/** Ends of jobs that others are told of over the network: noted with the end itself, so that none is lost. */
import type Database from 'better-sqlite3';
import type { StoredJob } from './job.js';
import { RECORD, toStored, type StoredRow } from './journal-rows.js';

export class Deliveries {
  private hooks: readonly string[] = [];

  constructor(private readonly database: Database.Database) {}

  /** Whom ends are noted for from now on; what was noted for others is forgotten. */
  setHooks(hooks: readonly string[]): void {
    this.hooks = hooks;
    this.database
      .prepare('DELETE FROM delivery WHERE hook NOT IN (SELECT value FROM json_each(?))')
      .run(JSON.stringify(hooks));
  }

  noteEnd(id: string): void {
    if (this.hooks.length === 0) return;
    const note = this.database.prepare(
      'INSERT OR IGNORE INTO delivery SELECT ?, sequence FROM job WHERE id = ?',
    );
    for (const hook of this.hooks) note.run(hook, id);
  }

  /** The first job whose end a hook wasn't told yet. Jobs that are forgotten are told to nobody. */
  next(hook: string): StoredJob | undefined {
    this.database
      .prepare('DELETE FROM delivery WHERE hook = ? AND sequence NOT IN (SELECT sequence FROM job)')
      .run(hook);
    const row = this.database
      .prepare<[hook: string], StoredRow>(
        `SELECT ${RECORD}, task FROM job WHERE sequence =
           (SELECT sequence FROM delivery WHERE hook = ? ORDER BY sequence LIMIT 1)`,
      )
      .get(hook);
    return row === undefined ? undefined : toStored(row);
  }

  done(hook: string, sequence: number): void {
    this.database.prepare('DELETE FROM delivery WHERE hook = ? AND sequence = ?').run(hook, sequence);
  }
}
