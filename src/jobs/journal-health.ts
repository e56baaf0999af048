/** What a journal is worth after a disk or a stranger has written into it. */
import Database from 'better-sqlite3';

/** Nothing can be made durable any more, and no attempt more will change that. */
export class DamagedJournalError extends Error {
  override readonly name = 'DamagedJournalError';
}

export function isDamage(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

export function damaged(cause: unknown): DamagedJournalError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DamagedJournalError(`it is damaged (${reason}); move it away to begin with an empty queue`, {
    cause,
  });
}

/**
 * Looks a database over, and makes its indexes anew where they don't fit its tables. Throws `DamagedJournalError` for one that is
 * damaged beyond that; what is no database at all is SQLite's own error.
 */
export function heal(database: Database.Database): void {
  if (findings(database) === undefined) return;
  try {
    database.exec('REINDEX');
  } catch (error) {
    throw damaged(error);
  }
  const left = findings(database);
  if (left !== undefined) throw damaged(new Error(left));
}

function findings(database: Database.Database): string | undefined {
  try {
    const [first] = database.pragma('integrity_check(1)') as readonly { readonly integrity_check: string }[];
    return first === undefined || first.integrity_check === 'ok' ? undefined : first.integrity_check;
  } catch (error) {
    if (isDamage(error) && error instanceof Error && !error.message.includes('not a database'))
      return error.message;
    throw error;
  }
}
