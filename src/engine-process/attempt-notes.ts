/**
 * What an attempt at a job has written, noted in the attempt's own folder before it is there. Whoever is killed, and whenever: the
 * next attempt, or the next daemon, finds every file of one that came to nothing.
 */
import { lstat, open, readFile, rm, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { FileNote } from '../nodes/files/file-notes.js';

const NOTES = 'notes';

/** Milliseconds between attempts at a note that the disk refuses. */
const RETRY_MS = 1000;

/** Longest wait for an engine process whose daemon is gone, which the kernel ends at once. */
const GONE_WITHIN_MS = 10_000;

const engineSchema = z.object({ engine: z.int(), started: z.string() });
const fileSchema = z.object({
  path: z.string(),
  inode: z.string().optional(),
  modified: z.string().optional(),
});
const lineSchema = z.union([engineSchema, fileSchema]);

export class AttemptNotes {
  private constructor(private readonly file: FileHandle) {}

  /** Begins with which process writes. */
  static async open(folder: string): Promise<AttemptNotes> {
    const notes = new AttemptNotes(await open(join(folder, NOTES), 'a', 0o600));
    await notes.write({ engine: process.pid, started: (await startOf(process.pid)) ?? '' });
    return notes;
  }

  /**
   * Resolves when the note is on disk. While the disk is full, the job waits, as it does with its outcome; rejects once `signal`
   * is aborted.
   */
  async add(note: FileNote, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.write(note);
        return;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT'].includes(String(error.code))))
          throw error;
        await delay(RETRY_MS, undefined, { signal });
      }
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async write(line: z.infer<typeof lineSchema>): Promise<void> {
    // What a full disk has left of the last line must not spoil this one.
    await this.file.appendFile(`\n${JSON.stringify(line)}`);
    await this.file.datasync();
  }
}

/**
 * Removes what an attempt has left: what it had not finished, and where nothing came of it (`isVoid`), its finished files, too.
 * Where it wasn't the attempt that ended but a process, `waits` for that to be gone. Rejects when a file can't be removed.
 */
export async function clearAttempt(
  folder: string,
  { isVoid, waits }: { readonly isVoid: boolean; readonly waits: boolean },
): Promise<void> {
  const text = await readFile(join(folder, NOTES), 'utf8').catch(() => '');
  const lines = text.split('\n').flatMap(readLine);
  for (const line of lines) if (waits && 'engine' in line) await gone(line);
  for (const line of lines) {
    if ('engine' in line) continue;
    if (line.inode === undefined) await rm(line.path, { recursive: true, force: true });
    else if (isVoid) await removeSame(line);
  }
}

/** Half a line is of a note that nobody waited for any more. */
function readLine(text: string): z.infer<typeof lineSchema>[] {
  try {
    return [lineSchema.parse(JSON.parse(text))];
  } catch {
    return [];
  }
}

/** Another file may have come to have the name. */
async function removeSame({ path, inode, modified }: z.infer<typeof fileSchema>): Promise<void> {
  try {
    const { ino, mtimeNs } = await lstat(path, { bigint: true });
    if (String(ino) !== inode || (modified !== undefined && String(mtimeNs) !== modified)) return;
    await unlink(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))))
      throw error;
  }
}

async function gone({ engine, started }: z.infer<typeof engineSchema>): Promise<void> {
  const since = performance.now();
  while ((await startOf(engine)) === started) {
    if (performance.now() - since > GONE_WITHIN_MS) {
      throw new Error(`engine process ${engine} of an earlier daemon does not end`);
    }
    await delay(20);
  }
}

/** When a process started, in the kernel's ticks: with its id, this tells it from every other. Undefined when there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of its program, in brackets, may hold anything; the state comes first after it, the start 20 fields on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
