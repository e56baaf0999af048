/** What tools/reference/text_encoders.py keeps of ComfyUI's tokens and encoded texts. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fixture } from '../../support/golden.js';

export function readGzipped(name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(fixture(name))).toString('utf8'));
}

export interface ReferenceTokens {
  readonly ids: readonly (readonly number[])[];
  readonly weights?: readonly (readonly number[])[];
}

/** Family, encoder, prompt. */
export type AllTokens = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, ReferenceTokens>>>>>
>;

export function referenceTokens(): AllTokens {
  return readGzipped('text/tokens.json.gz') as AllTokens;
}
