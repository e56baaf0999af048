/** The durable side of the queue: SQLite in a thread of its own, so that waiting for the disk blocks nobody. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { JournalOperation, JournalOperations } from './journal-database.js';
import type { JournalOpened, JournalReply, JournalRequest } from './journal-worker.js';

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Something that could not be made durable, perhaps only for now; the message is safe to show. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}

/** The journal's operations; each resolves once what it did is on disk. */
export type Journal = {
  readonly [Name in keyof JournalOperations]: (
    ...args: Parameters<JournalOperations[Name]>
  ) => Promise<ReturnType<JournalOperations[Name]>>;
} & {
  close(): Promise<void>;
};

/** V8's own limits for the journal's thread, in MB: it holds no more than a batch of requests. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

/**
 * Opens or creates the journal and returns what it knows. `onFailure` hears of a fault after which nothing can be made durable
 * any more. Rejects when the file is no journal that this version can read.
 */
export async function openJournal(
  file: string,
  onFailure: (error: Error) => void,
): Promise<JournalOpened & { readonly journal: Journal }> {
  const worker = new Worker(new URL('./journal-worker.js', import.meta.url), {
    workerData: { file },
    resourceLimits: THREAD_LIMITS,
  });
  const [opened] = (await once(worker, 'message')) as [JournalOpened];
  return { ...opened, journal: new ThreadJournal(worker, onFailure) };
}

class ThreadJournal implements Journal {
  private readonly pending = new Map<number, Pending>();
  private nextTicket = 0;
  private closing = false;

  constructor(
    private readonly worker: Worker,
    private readonly onFailure: (error: Error) => void,
  ) {
    worker.on('message', (replies: readonly JournalReply[]) => {
      for (const reply of replies) this.settle(reply);
    });
    worker.on('error', (error) => {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', () => {
      if (!this.closing) this.fail(new Error('the journal thread ended'));
    });
  }

  readonly accept: Journal['accept'] = (...args) => this.ask({ name: 'accept', args });
  readonly begin: Journal['begin'] = (...args) => this.ask({ name: 'begin', args });
  readonly tell: Journal['tell'] = (...args) => this.ask({ name: 'tell', args });
  readonly requeue: Journal['requeue'] = (...args) => this.ask({ name: 'requeue', args });
  readonly finish: Journal['finish'] = (...args) => this.ask({ name: 'finish', args });
  readonly amend: Journal['amend'] = (...args) => this.ask({ name: 'amend', args });
  readonly list: Journal['list'] = (...args) => this.ask({ name: 'list', args });
  readonly summaries: Journal['summaries'] = (...args) => this.ask({ name: 'summaries', args });
  readonly recall: Journal['recall'] = (...args) => this.ask({ name: 'recall', args });
  readonly count: Journal['count'] = (...args) => this.ask({ name: 'count', args });
  readonly setHooks: Journal['setHooks'] = (...args) => this.ask({ name: 'setHooks', args });
  readonly undelivered: Journal['undelivered'] = (...args) => this.ask({ name: 'undelivered', args });
  readonly delivered: Journal['delivered'] = (...args) => this.ask({ name: 'delivered', args });
  readonly forget: Journal['forget'] = (...args) => this.ask({ name: 'forget', args });
  readonly find: Journal['find'] = (...args) => this.ask({ name: 'find', args });
  readonly renew: Journal['renew'] = (...args) => this.ask({ name: 'renew', args });
  readonly prune: Journal['prune'] = (...args) => this.ask({ name: 'prune', args });
  readonly recordTimes: Journal['recordTimes'] = (...args) => this.ask({ name: 'recordTimes', args });

  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    const exit = once(this.worker, 'exit');
    this.worker.postMessage('close');
    await exit;
  }

  private ask<Result>(operation: JournalOperation): Promise<Result> {
    const ticket = this.nextTicket++;
    return new Promise((resolve, reject) => {
      this.pending.set(ticket, { resolve: resolve, reject });
      this.worker.postMessage({ ticket, operation } satisfies JournalRequest);
    });
  }

  private settle({ ticket, result, error }: JournalReply): void {
    const pending = this.pending.get(ticket);
    this.pending.delete(ticket);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new JournalError(`the journal could not be written: ${error}`));
  }

  private fail(error: Error): void {
    for (const pending of this.pending.values()) pending.reject(error);
    this.pending.clear();
    this.onFailure(error);
  }
}
