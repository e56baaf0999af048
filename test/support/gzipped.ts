import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fixture } from './golden.js';

/** What a gzipped JSON file under `test/fixtures` holds. */
export function readGzipped(name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(fixture(name))).toString('utf8'));
}
