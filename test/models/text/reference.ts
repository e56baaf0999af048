/** What tools/reference/text_encoders.py keeps of ComfyUI's tokens and encoded texts. */
import { readGzipped } from '../../support/gzipped.js';

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
