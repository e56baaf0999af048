import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Why nothing could be saved in a folder, which needn't be there yet; undefined when something could. */
export function whyNotWritable(folder: string): string | undefined {
  const place = nearestExisting(folder);
  if (!statSync(place).isDirectory()) return `${place} is not a folder`;
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    // In /proc, permissions promise what can't be done.
    if (place !== folder) rmdirSync(mkdtempSync(join(place, '.latentd-')));
    return undefined;
  } catch {
    return `${place} can't be written to`;
  }
}

/** The folder itself, or the one closest to it that is there. */
export function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(dirname(folder));
}
