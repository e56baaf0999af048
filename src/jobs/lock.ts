/** One daemon a data folder: a lock that the kernel lets go of when its holder dies, however it dies. */
import Database from 'better-sqlite3';
import { join } from 'node:path';

/**
 * Takes the folder and returns how to give it back. The lock is SQLite's own on a file of its own (fcntl locks end with the
 * process, so none is ever stale). Throws an `Error` that names the folder when another daemon has it, or nothing can be written
 * there.
 */
export function lockFolder(folder: string): () => void {
  let database: Database.Database | undefined;
  try {
    database = new Database(join(folder, 'daemon.lock'), { timeout: 0 });
    database.pragma('journal_mode = MEMORY');
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
    // Of a file that can only be read, SQLite gives out every lock: writing tells.
    database.pragma('user_version = 1');
  } catch (cause) {
    database?.close();
    throw new Error(describe(folder, cause), { cause });
  }
  const held = database;
  return () => {
    held.close();
  };
}

function describe(folder: string, cause: unknown): string {
  if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_BUSY') {
    return `another latentd daemon uses the data folder ${folder}; stop it, or give this one its own with --data`;
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return `nothing can be written in the data folder ${folder}: ${reason}`;
}
