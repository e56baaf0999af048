/**
 * Where native code lies: built here, in the package of this platform, or in the toolchain of a build from source
 * (tools/pack-npm.mjs, packaging/npm/install.mjs).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Two folders below the package's root from both src/native and dist/native.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PLATFORM = `@latentd/${process.platform}-${process.arch}`;

/** The addon is missing, or made for another machine: one sentence says what to do. */
export class AddonError extends Error {
  override readonly name = 'AddonError';
}

/** The folder of the package of this platform; undefined where there is none. */
function platformFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${PLATFORM}/package.json`));
  } catch {
    // Not installed, as in a clone.
    return undefined;
  }
}

/** An addon by its file name: the one built here, which is the newer, before a prebuilt one. */
export function addonFile(name: string): string {
  const built = join(ROOT, 'build/Release', name);
  const folder = existsSync(built) ? undefined : platformFolder();
  const prebuilt = folder === undefined ? built : join(folder, name);
  return existsSync(prebuilt) ? prebuilt : built;
}

/** What is to be done where an addon is missing. */
export const HOW_TO_GET_ADDON = existsSync(join(ROOT, 'src/index.ts'))
  ? 'build it with: npm run build:native'
  : `install ${PLATFORM}, or reinstall latentd without --ignore-scripts to build it`;

/** The folder of a dependency with native code, where its files are. Throws Node's `Error` where it isn't installed. */
export function nativePackage(name: string): string {
  for (const place of [platformFolder(), join(ROOT, 'build/toolchain')]) {
    const folder = place === undefined ? undefined : join(place, 'node_modules', name);
    if (folder !== undefined && existsSync(join(folder, 'package.json'))) return folder;
  }
  return packageRoot(createRequire(import.meta.url).resolve(name), name);
}

function packageRoot(entry: string, name: string): string {
  let folder = dirname(entry);
  while (!folder.endsWith(join('node_modules', name)) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
