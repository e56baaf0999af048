/** T5's vocabulary, which the user has: in a folder of tokenizers, or with ComfyUI. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ModelError } from '../../model-error.js';
import { huggingFaceVocabulary, type TokenizerDescription } from './hugging-face.js';
import type { Vocabulary } from './vocabulary.js';

interface T5Description extends TokenizerDescription {
  readonly normalizer?: { readonly type?: string; readonly normalizers?: readonly object[] } | null;
}

/** The vocabulary of a T5 `tokenizer.json`, perhaps gzipped. Throws `ModelError` for another kind of file. */
export function t5Vocabulary(path: string): Vocabulary {
  const description = readDescription(path);
  // transformers' T5Tokenizer takes the file's pieces and its map of characters, and cuts at spaces itself.
  const parts = [description.normalizer, ...(description.normalizer?.normalizers ?? [])];
  const normalizer = parts.find((part) => part && 'precompiled_charsmap' in part);
  return huggingFaceVocabulary({
    ...description,
    normalizer: normalizer ?? null,
    ...{
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'WhitespaceSplit' },
          { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true },
        ],
      },
    },
  });
}

function readDescription(path: string): T5Description {
  try {
    const bytes = readFileSync(path);
    const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
    const description = JSON.parse(text.toString('utf8')) as T5Description & {
      readonly model?: { readonly type?: string; readonly vocab?: unknown };
    };
    if (!Array.isArray(description.model?.vocab)) throw new TypeError('it has no list of pieces');
    return description;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError(`${path} is no tokenizer of T5: ${reason}`, { cause: error });
  }
}
