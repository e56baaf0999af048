/** Tells whoever runs a job of its files before they are there, so that those of a run that dies can be found and removed. */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface FileNote {
  /** Absolute. */
  readonly path: string;
  /**
   * Which file it will be, for another may come to have the name: its inode, and where it is whole already, the time of its last
   * change in nanoseconds. Missing where the name is so random that no other file ever has it.
   */
  readonly inode?: string;
  readonly modified?: string;
}

/** Resolves when the note is safe: the file may come to be. */
export type FileNotes = (note: FileNote) => Promise<void>;

const current = new AsyncLocalStorage<FileNotes>();

/** Whatever nodes save while `run` goes on is noted. */
export function withFileNotes<Result>(notes: FileNotes, run: () => Promise<Result>): Promise<Result> {
  return current.run(notes, run);
}

/** To be called before a file is made, or given a name that others look at. `describe` is asked where somebody takes notes. */
export async function noteFile(describe: () => FileNote | Promise<FileNote>): Promise<void> {
  const notes = current.getStore();
  if (notes !== undefined) await notes(await describe());
}
