/** The journal's thread: gathers what arrives within one turn of its loop into one transaction, then answers. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MeasuredTime } from './estimates.js';
import type { QueuedJob } from './job.js';
import { DamagedJournalError } from './journal-health.js';
import { JournalDatabase, type JournalOperation, type OldJob } from './journal-database.js';

export interface JournalRequest {
  readonly ticket: number;
  readonly operation: JournalOperation;
}

export interface JournalReply {
  readonly ticket: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The thread's first message. */
export interface JournalOpened {
  readonly waiting: readonly QueuedJob[];
  readonly old: readonly OldJob[];
  readonly times: readonly MeasuredTime[];
}

if (parentPort === null) throw new Error('journal-worker.js is started by journal.js');
const port = parentPort;
const { file } = workerData as { readonly file: string };
const database = open();
let gathered: JournalRequest[] = [];

/** SQLite's own errors don't survive the way to another thread. */
function open(): JournalDatabase {
  try {
    return new JournalDatabase(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${file} can't be opened: ${reason}`, { cause });
  }
}

function commit(): void {
  const batch = gathered;
  gathered = [];
  if (batch.length > 0) port.postMessage(replies(batch));
}

function replies(batch: readonly JournalRequest[]): JournalReply[] {
  try {
    const results = database.apply(batch.map(({ operation }) => operation));
    return batch.map(({ ticket }, index) => ({ ticket, result: results[index] }));
  } catch (cause) {
    // It ends this thread, and with it the daemon.
    if (cause instanceof DamagedJournalError) throw new Error(`${file}: ${cause.message}`, { cause });
    const error = cause instanceof Error ? cause.message : String(cause);
    if (batch.length === 1) return batch.map(({ ticket }) => ({ ticket, error }));
    // One bad operation must not take its neighbours down: each gets a transaction of its own, and its own error.
    return batch.flatMap((request) => replies([request]));
  }
}

port.on('message', (message: JournalRequest | 'close') => {
  if (message === 'close') {
    commit();
    database.close();
    port.close();
  } else if (gathered.push(message) === 1) {
    setImmediate(commit);
  }
});

port.postMessage({
  waiting: database.waiting(),
  old: database.old(),
  times: database.times(),
} satisfies JournalOpened);
