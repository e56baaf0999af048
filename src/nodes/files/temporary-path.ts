/** Files and folders that are there while something is made in them. */
import { rm, unlink } from 'node:fs/promises';
import { trackTemporary, untrackTemporary } from '../../native/addon.js';
import { noteFile } from './file-notes.js';

/** Uses a path for something that is gone afterwards, whether `use` succeeds, fails, or is ended by a signal. */
export async function withTemporary<Result>(path: string, use: () => Promise<Result>): Promise<Result> {
  trackTemporary(path);
  let result: Result;
  try {
    await noteFile(() => ({ path }));
    result = await use();
  } catch (error) {
    // Where nothing can be written, nothing can be removed either, and the first fault is the one to hear of.
    await remove(path).catch(() => undefined);
    throw error;
  }
  await remove(path);
  return result;
}

async function remove(path: string): Promise<void> {
  try {
    // Mostly it is a file, which takes a step less than what may be a folder.
    await unlink(path).catch(() => rm(path, { recursive: true, force: true }));
  } finally {
    untrackTemporary(path);
  }
}
