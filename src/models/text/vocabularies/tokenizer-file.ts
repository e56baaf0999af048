/** The user's `tokenizer.json` files. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ModelError } from '../../model-error.js';
import type { TokenizerDescription } from './hugging-face.js';

export interface TokenizerFileOptions {
  /** Whose tokenizer it should be, for messages. */
  readonly of: string;
  /** What is wrong with its vocabulary, if anything. */
  readonly fault: (vocabulary: unknown) => string | undefined;
}

/** What a tokenizer.json, perhaps gzipped, says. Throws `ModelError` for another kind of file. */
export function readTokenizer(path: string, { of, fault }: TokenizerFileOptions): TokenizerDescription {
  try {
    const bytes = readFileSync(path);
    const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
    const description = JSON.parse(text.toString('utf8')) as TokenizerDescription & {
      readonly model?: { readonly vocab?: unknown };
    };
    const found = fault(description.model?.vocab);
    if (found !== undefined) throw new TypeError(found);
    return description;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError(`${path} is no tokenizer of ${of}: ${reason}`, { cause: error });
  }
}
