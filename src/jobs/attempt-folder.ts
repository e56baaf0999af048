/** An attempt's own folder below `work/`: previews, and notes of what it has written. Its name says whose it is. */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { clearAttempt } from '../engine-process/attempt-notes.js';
import type { JobOutcome } from './job.js';

/** Previews outlive a job that completed by so long, for clients that are still reading them. */
const KEEP_PREVIEWS_MS = 30_000;

/** Of an attempt that has come to its end: its engine may live on, with other jobs. */
const OVER = { isVoid: false, waits: false } as const;

export class AttemptFolder {
  /** Whether there are previews that clients may be reading. */
  hasPreviews = false;

  private constructor(
    readonly path: string,
    private readonly log: Logger,
  ) {}

  static async create(workFolder: string, sequence: number, log: Logger): Promise<AttemptFolder> {
    await mkdir(workFolder, { recursive: true });
    return new AttemptFolder(await mkdtemp(join(workFolder, `${sequence}-`)), log);
  }

  /** Removes the files of an attempt that came to nothing: another one makes them again. Never rejects. */
  async undo(): Promise<void> {
    await clear(this.path, { isVoid: true, waits: true }, this.log);
  }

  /** To be called when the job's outcome is durable; only what led to a picture is still of use. Never rejects. */
  async release(state: JobOutcome['state']): Promise<void> {
    if (this.hasPreviews && state === 'completed') clearLater(this.path, this.log);
    else await clear(this.path, OVER, this.log);
  }
}

/** A function of its own, so that the timer keeps nothing of the job but the folder's name. */
function clearLater(path: string, log: Logger): void {
  setTimeout(() => void clear(path, OVER, log), KEEP_PREVIEWS_MS).unref();
}

/** What the last daemon left behind: the files of attempts go whose jobs are not over, and all of its folders. */
export async function clearLeftovers(
  workFolder: string,
  isUnfinished: (sequence: number) => boolean,
  log: Logger,
): Promise<void> {
  const names = await readdir(workFolder).catch(() => []);
  for (const name of names) {
    const sequence = Number(/^(\d+)-/.exec(name)?.[1] ?? NaN);
    await clear(join(workFolder, name), { isVoid: isUnfinished(sequence), waits: true }, log);
  }
}

/** A disk that refuses is no reason to end. The folder stays then, for the next daemon to try again. */
async function clear(path: string, how: Parameters<typeof clearAttempt>[1], log: Logger): Promise<void> {
  try {
    await clearAttempt(path, how);
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn({ err: error, path }, 'what an attempt left behind could not be removed');
  }
}
