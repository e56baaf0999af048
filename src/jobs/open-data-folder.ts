/** A data folder, from its lock to the jobs that wait in it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { clearLeftovers } from './attempt-folder.js';
import { makeDataFolder } from './data-folder.js';
import { Estimates } from './estimates.js';
import type { Job, QueuedJob } from './job.js';
import type { OldJob } from './journal-database.js';
import { openJournal, type Journal } from './journal.js';
import { lockFolder } from './lock.js';

/** What is opened one after the other at the start, and closed in reverse at the end. */
export type Closer = () => unknown;

export interface DataFolderOptions {
  readonly dataFolder: string;
  /** How many there are. */
  readonly engines: number;
  readonly log: Logger;
  /** What an older journal's job is today. What it throws is why the job has failed. */
  readonly renew: (old: OldJob) => Job;
  readonly onFatal: (error: Error) => void;
}

export interface OpenedData {
  readonly journal: Journal;
  readonly waiting: readonly QueuedJob[];
  readonly estimates: Estimates;
}

/** Takes the data folder, opens the journal, and brings what an older daemon left in order. */
export async function openDataFolder(
  { dataFolder, engines, log, renew, onFatal }: DataFolderOptions,
  closers: Closer[],
): Promise<OpenedData> {
  makeDataFolder(dataFolder);
  closers.push(lockFolder(dataFolder));
  const work = join(dataFolder, 'work');
  const { journal, waiting, old, times } = await openJournal(join(dataFolder, 'journal.sqlite'), onFatal);
  closers.push(() => journal.close());
  const unfinished = new Set([...waiting, ...old].map(({ sequence }) => sequence));
  await clearLeftovers(work, (sequence) => unfinished.has(sequence), log);
  closers.push(() => rm(work, { recursive: true, force: true }));
  const renewed = await renewAll(journal, old, renew, log);
  const jobs = waiting.length + renewed.length;
  if (jobs > 0) log.info({ jobs }, 'unfinished jobs go on');
  return { journal, waiting: [...renewed, ...waiting], estimates: new Estimates(times, engines) };
}

/** Jobs of an older journal that still wait become jobs of today, or fail with what stands in their way. */
async function renewAll(
  journal: Journal,
  old: readonly OldJob[],
  renew: DataFolderOptions['renew'],
  log: Logger,
): Promise<readonly QueuedJob[]> {
  const renewed: QueuedJob[] = [];
  for (const each of old) {
    const { sequence, id, interruptions } = each;
    try {
      const job = renew(each);
      await journal.renew(job);
      renewed.push({
        id,
        sequence,
        place: sequence - 1,
        interruptions,
        client: job.client,
        priority: job.priority,
        load: job.load,
      });
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      log.warn({ job: id, error }, 'a job of an older version can not be run');
      await journal.finish(id, { state: 'failed', outputs: [], error, durationSeconds: 0 }, Date.now());
    }
  }
  return renewed;
}

export async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
