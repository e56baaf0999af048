/** The data folder holds what clients have asked for: it is its owner's alone, whatever the umask. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../make-folder.js';

/** SQLite gives the files beside a database the rights of the database. */
const PRIVATE_FILES = ['daemon.lock', 'journal.sqlite'] as const;
const FILES_BESIDE = ['journal.sqlite-wal', 'journal.sqlite-shm'] as const;

/** Makes the folder, or takes the one that is there, whose own rights stay as they are. Throws an `Error` that names it. */
export function makeDataFolder(folder: string): void {
  try {
    if (!existsSync(folder)) {
      makeFolder(dirname(folder));
      mkdirSync(folder, { mode: 0o700 });
    } else makeFolder(folder);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the data folder ${folder} can't be made: ${reason}`, { cause });
  }
  try {
    for (const name of PRIVATE_FILES) closeSync(openSync(join(folder, name), 'a', 0o600));
    for (const name of [...PRIVATE_FILES, ...FILES_BESIDE]) {
      if (existsSync(join(folder, name))) chmodSync(join(folder, name), 0o600);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`nothing can be written in the data folder ${folder}: ${reason}`, { cause });
  }
}
