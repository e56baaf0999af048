/** One daemon a data folder: a lock that the kernel lets go of when its holder dies, however it dies. */
import Database from 'better-sqlite3';
import { join } from 'node:path';

/**
 * Takes the folder and returns how to give it back. The lock is SQLite's own on a file of its own (fcntl locks end with the
 * process, so none is ever stale). Throws an `Error` that names the folder when another daemon has it.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'daemon.lock');
  const database = new Database(file, { timeout: 0 });
  try {
    database.pragma('journal_mode = MEMORY');
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch {
    database.close();
    throw new Error(
      `another latentd daemon uses the data folder ${folder}; stop it, or give this one its own with --data`,
    );
  }
  return () => {
    database.close();
  };
}
