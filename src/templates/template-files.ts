/** Workflow templates by name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The file of a template, with or without `.json`, in the first folder that has it. Undefined when none has, and for names
 * that lead out of the folders.
 */
export function findTemplate(folders: readonly string[], name: string): string | undefined {
  const file = name.endsWith('.json') ? name : `${name}.json`;
  if (!/^[\w-][\w .-]{0,99}$/.test(file)) return undefined;
  return folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
}
