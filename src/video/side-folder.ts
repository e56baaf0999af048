/** A film in the making: finished stretches beside the output, and a manifest by which a restart finds them. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../make-folder.js';
import { VideoError } from './video-error.js';
import type { Rational } from './rational.js';

/** A stretch that is whole on disk. */
const stretchSchema = z.object({
  file: z.string().regex(/^stretch-\d+\.\w+$/),
  /** Of the input, counted from 0. */
  firstFrame: z.int().nonnegative(),
  frames: z.int().positive(),
  /** Timestamps of the first and the last frame, in units of the time base. */
  firstPts: z.int(),
  lastPts: z.int(),
});
export type FinishedStretch = Readonly<z.infer<typeof stretchSchema>>;

const manifestSchema = z.object({
  version: z.literal(1),
  identity: z.string(),
  timeBase: z.object({ num: z.int().positive(), den: z.int().positive() }),
  start: z.number(),
  stretches: z.array(stretchSchema),
});
type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** How a film's timestamps are counted: from its first frame, whose place in the file is `start`, in seconds. */
export interface FilmClock {
  readonly timeBase: Rational;
  readonly start: number;
}

/** A file as it is now: another one, or a changed one, has another identity. */
export function fileIdentity(path: string): {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
} {
  const { size, mtimeMs } = statSync(path);
  return { path, size, mtimeMs };
}

/**
 * The folder `OUTPUT.latentd`. It belongs to one process at a time; what it holds counts only where everything that the frames
 * depend on is as it was.
 */
export class SideFolder {
  readonly finished: FinishedStretch[] = [];
  /** There was something there that could not be used. */
  readonly discarded: boolean = false;
  /** What the timestamps in `finished` count from. */
  readonly clock: FilmClock | undefined;
  private readonly identity: string;

  private constructor(
    readonly path: string,
    identity: unknown,
  ) {
    this.identity = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    const found = this.read();
    if (found?.identity === this.identity) {
      this.finished.push(...found.stretches.filter((stretch) => isFile(join(path, stretch.file))));
      // A gap ends what can be used.
      const gap = this.finished.findIndex(
        (stretch, index) => stretch.firstFrame !== (index === 0 ? 0 : this.endOf(index - 1)),
      );
      if (gap !== -1) this.finished.length = gap;
      this.clock = { timeBase: found.timeBase, start: found.start };
    } else {
      this.discarded = found !== undefined;
    }
    this.clear(LOCK);
  }

  /** Makes the folder, or takes up what an earlier run left there. Throws `VideoError` while another process works in it. */
  static open(output: string, identity: unknown): SideFolder {
    const path = `${output}.latentd`;
    makeFolder(path);
    lock(path);
    return new SideFolder(path, identity);
  }

  /** Frames that need not be made again. */
  get frames(): number {
    return this.finished.length === 0 ? 0 : this.endOf(this.finished.length - 1);
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** Records a stretch whose file is whole. */
  add(stretch: FinishedStretch, clock: FilmClock): void {
    const stretches = [...this.finished, stretch];
    const manifest: Manifest = { version: 1, identity: this.identity, ...clock, stretches };
    const unfinished = this.pathOf(`${MANIFEST}.part`);
    writeFileSync(unfinished, JSON.stringify(manifest, null, 1), { flush: true });
    renameSync(unfinished, this.pathOf(MANIFEST));
    this.finished.push(stretch);
  }

  /** Lets another process go on, with nothing but what it can use. A folder with nothing in it goes. */
  release(): void {
    if (this.finished.length === 0) this.remove();
    else this.clear();
  }

  remove(): void {
    this.finished.length = 0;
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Removes everything but finished stretches, their manifest and `kept`. */
  private clear(...kept: readonly string[]): void {
    const names = new Set([MANIFEST, ...kept, ...this.finished.map(({ file }) => file)]);
    for (const name of readdirSync(this.path))
      if (!names.has(name)) rmSync(join(this.path, name), { recursive: true });
  }

  private endOf(index: number): number {
    const { firstFrame, frames } = this.finished[index]!;
    return firstFrame + frames;
  }

  private read(): Manifest | undefined {
    try {
      return manifestSchema.parse(JSON.parse(readFileSync(this.pathOf(MANIFEST), 'utf8')));
    } catch {
      return undefined;
    }
  }
}

const MANIFEST = 'manifest.json';
const LOCK = 'lock';

/** Leaves this process's id; a lock of a process that is gone is nobody's. */
function lock(folder: string): void {
  const path = join(folder, LOCK);
  const own = String(process.pid);
  for (;;) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = ownerOf(path);
    if (owner !== undefined && isRunning(owner)) {
      throw new VideoError(`${basename(folder)}: process ${owner} is already working on this film`);
    }
    rmSync(path, { force: true });
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
