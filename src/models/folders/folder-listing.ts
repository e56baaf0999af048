/** Recursive listings of folders, kept until a folder in them changes. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below the folders: name relative to its folder, `/`-separated, to absolute path. */
export type Listing = ReadonlyMap<string, string>;

/** A file system's clock may tick only every few milliseconds, so a folder changed since may still show the same date. */
const CLOCK_TICK_MS = 50;

/**
 * Lists all files below some folders, in which the first wins where a name appears twice. As in ComfyUI, symbolic links are
 * followed, folders that don't exist are empty, and `.git` is passed over. A later `list` reads the folders again only if
 * the date of one of them has changed.
 */
export class FolderListing {
  private files: ReadonlyMap<string, string> = new Map();
  private dates: ReadonlyMap<string, number> | undefined;
  private listedAt = 0;

  constructor(private readonly folders: readonly string[]) {}

  /** Throws where a folder can't be read for a passing reason; the next call tries again. */
  list(): Listing {
    if (this.dates === undefined || !this.isCurrent(this.dates)) this.refresh();
    return this.files;
  }

  private isCurrent(dates: ReadonlyMap<string, number>): boolean {
    for (const [folder, date] of dates) {
      if (modified(folder) !== date || date > this.listedAt - CLOCK_TICK_MS) return false;
    }
    return true;
  }

  private refresh(): void {
    const files = new Map<string, string>();
    const dates = new Map<string, number>();
    this.listedAt = Date.now();
    for (const folder of this.folders) {
      dates.set(folder, modified(folder));
      walk(folder, '', new Set(), files, dates);
    }
    this.files = files;
    this.dates = dates;
  }
}

/** Milliseconds since 1970, or 0 for a folder that isn't there, so that its appearance counts as a change. */
function modified(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function walk(
  folder: string,
  prefix: string,
  parents: ReadonlySet<string>,
  files: Map<string, string>,
  dates: Map<string, number>,
): void {
  const entries = readEntries(folder);
  if (entries === undefined) return;
  const real = realpathSync(folder);
  if (parents.has(real)) return;
  const here = new Set(parents).add(real);
  for (const entry of entries) {
    const path = join(folder, entry);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (stats.isFile()) {
      if (!files.has(prefix + entry)) files.set(prefix + entry, path);
    } else if (stats.isDirectory() && entry !== '.git') {
      dates.set(path, stats.mtimeMs);
      walk(path, `${prefix}${entry}/`, here, files, dates);
    }
  }
}

/** What makes a folder as good as empty. Anything else, such as no more open files (EMFILE), says nothing of what is in it. */
const EMPTY: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP']);

/** Undefined for a folder that isn't there or may not be read. */
function readEntries(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && EMPTY.has(error.code)) return undefined;
    throw error;
  }
}
