import { readFileSync } from 'node:fs';

/** This package's. Two folders below its root from both src/cli and dist/cli. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
