/** Files that clients name: in the input, output and temp folder, and never outside of these. */
import { realpath } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';

export type FolderType = 'input' | 'output' | 'temp';

export function isFolderType(value: unknown): value is FolderType {
  return value === 'input' || value === 'output' || value === 'temp';
}

/** `NAME [input]`, as ComfyUI annotates names (folder_paths.py, annotated_filepath). */
export function annotatedName(text: string): { readonly name: string; readonly type?: FolderType } {
  const [, name = text, type] = /^(.*?) ?\[(input|output|temp)\]$/s.exec(text) ?? [];
  return { name, ...(isFolderType(type) && { type }) };
}

/** Where a file would be. Undefined where that is outside of the folder, or its name is none. */
export function placeIn(folder: string, subfolder: string, name: string): string | undefined {
  if (`${subfolder}${name}`.includes('\0')) return undefined;
  const path = resolve(folder, subfolder, name);
  return path.startsWith(resolve(folder) + sep) && basename(path) !== '' ? path : undefined;
}

/** The same, with all links followed, of a file that is there. */
export async function existingIn(
  folder: string,
  subfolder: string,
  name: string,
): Promise<string | undefined> {
  const path = placeIn(folder, subfolder, name);
  if (path === undefined) return undefined;
  try {
    const [base, real] = await Promise.all([realpath(folder), realpath(path)]);
    return real.startsWith(base + sep) ? real : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a subfolder leads out of its folder. */
export function leavesFolder(subfolder: string): boolean {
  const base = resolve('/folder');
  const path = resolve(base, join('.', subfolder));
  return path !== base && !path.startsWith(base + sep);
}
