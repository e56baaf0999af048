/** Where nodes save: ComfyUI's file names, numbered on from what is there (ComfyUI folder_paths.py, get_save_image_path). */
import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { copyFile, link, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { makeFolder } from '../../make-folder.js';
import type { SavedFile } from '../definition.js';
import { noteFile } from './file-notes.js';
import { withTemporary } from './temporary-path.js';

/** A file that can't be saved where a workflow wants it. */
export class OutputFileError extends Error {
  override readonly name = 'OutputFileError';
}

/** A folder and a name to number files by. */
export interface OutputSeries {
  readonly type: 'output' | 'temp';
  readonly folder: string;
  /** Relative to the output or temp folder, `/`-separated; empty for that folder itself. */
  readonly subfolder: string;
  readonly filename: string;
  /** One more than the highest number there. */
  readonly counter: number;
}

/** What `%width%` and `%height%` stand for; 0 where there is no picture. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Opens a series of files `PREFIX_00001_…` below `root`, making its folder. The prefix may hold subfolders, `%width%`,
 * `%height%`, `%year%`, `%month%`, `%day%`, `%hour%`, `%minute%` and `%second%` (local time). Throws `OutputFileError` when
 * it leads out of `root`, through links too.
 */
export async function openSeries(
  type: OutputSeries['type'],
  root: string,
  prefix: string,
  size: PictureSize,
): Promise<OutputSeries> {
  const named = posix.normalize(fillIn(prefix, size, new Date())).replace(/(?<=.)\/+$/, '');
  const filename = posix.basename(named);
  const subfolder = posix.dirname(named) === '.' ? '' : posix.dirname(named);
  const folder = join(root, subfolder);
  const refused = () =>
    new OutputFileError(
      `filename_prefix ${JSON.stringify(prefix)} leads out of the ${type} folder; give a name, or subfolders and a name, below ${root}`,
    );
  if (named.startsWith('/') || named.includes('\0') || named.split('/').includes('..')) throw refused();
  makeFolder(root);
  // Looked at before anything is made, for a link to elsewhere must not grow folders there.
  if (!isInside(realpathSync.native(root), existingPart(folder))) throw refused();
  makeFolder(folder);
  const counter = nextNumber(await readdir(folder), filename);
  return { type, folder, subfolder, filename, counter };
}

interface FileName {
  readonly counter: number;
  readonly batch: number;
  readonly extension: string;
  /** Between number and extension. */
  readonly separator?: '_' | '';
}

interface Numbered {
  readonly file: SavedFile;
  readonly counter: number;
}

/**
 * Saves `bytes` as `FILENAME_COUNTER_EXTENSION` under the first free number from `counter` on, so that no writer overwrites
 * another's file, and a file is whole as soon as it is there. `%batch_num%` stands for `batch`.
 */
export function saveNumbered(series: OutputSeries, name: FileName, bytes: Uint8Array): Promise<Numbered> {
  return saveWritten(series, name, (path) => writeFile(path, bytes, { flag: 'wx' }));
}

/** The same of a file that `write` writes to the path that it is given. */
export async function saveWritten(
  series: OutputSeries,
  { counter, batch, extension, separator = '_' }: FileName,
  write: (path: string) => Promise<void>,
): Promise<Numbered> {
  const { folder, subfolder, type } = series;
  const stem = series.filename.replaceAll('%batch_num%', String(batch));
  const whole = join(folder, `.latentd-${randomUUID()}`);
  return withTemporary(whole, async () => {
    await write(whole);
    for (let number = counter; ; number++) {
      const filename = `${stem}_${String(number).padStart(5, '0')}${separator}${extension}`;
      const path = join(folder, filename);
      if (await claim(whole, path)) return { file: { filename, subfolder, type, path }, counter: number };
    }
  });
}

/** Gives a finished file its name, for good; false when the name is taken. */
export async function claim(whole: string, path: string): Promise<boolean> {
  await noteFile(async () => {
    const { ino, mtimeNs } = await stat(whole, { bigint: true });
    return { path, inode: String(ino), modified: String(mtimeNs) };
  });
  try {
    await link(whole, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(codeOf(error))) throw error;
  }
  return copyTo(whole, path);
}

/** For a file system without hard links: the name is taken first, and so is its note. */
async function copyTo(whole: string, path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    const { ino } = await file.stat({ bigint: true });
    await file.close();
    await noteFile(() => ({ path, inode: String(ino) }));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await copyFile(whole, path);
  return true;
}

/**
 * Gives files that belong together the names of the first number for which none is taken, from `from` on, and returns them.
 * `namesAt` says them in the order of the files.
 */
export async function claimTogether(
  folder: string,
  wholes: readonly string[],
  namesAt: (number: number) => readonly string[],
  from: number,
): Promise<readonly string[]> {
  for (let number = from; ; number++) {
    const names = namesAt(number);
    let claimed = 0;
    while (claimed < wholes.length && (await claim(wholes[claimed]!, join(folder, names[claimed]!))))
      claimed++;
    if (claimed === wholes.length) return names;
    // Somebody else's number: what was given a name so far is taken back.
    for (const name of names.slice(0, claimed)) await rm(join(folder, name));
  }
}

function fillIn(prefix: string, { width, height }: PictureSize, now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const values = {
    width: String(width),
    height: String(height),
    year: String(now.getFullYear()),
    month: two(now.getMonth() + 1),
    day: two(now.getDate()),
    hour: two(now.getHours()),
    minute: two(now.getMinutes()),
    second: two(now.getSeconds()),
  };
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`%${name}%`, value), prefix);
}

/** The number after the highest of `FILENAME_NUMBER_…`, whatever follows; 1 when there is none. */
function nextNumber(names: readonly string[], filename: string): number {
  const numbers = names
    .filter((name) => name.startsWith(`${filename}_`))
    .map((name) => name.slice(filename.length + 1).split('_')[0]!)
    .map((digits) => (/^\d{1,15}$/.test(digits) ? Number(digits) : 0));
  return numbers.reduce((highest, number) => Math.max(highest, number), 0) + 1;
}

/** Where the path leads, or the nearest folder above it that is there. Waking a thread for it would take longer than it does. */
function existingPart(path: string): string {
  for (let part = path; ; part = dirname(part)) {
    try {
      return realpathSync.native(part);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || part === dirname(part)) throw error;
    }
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
