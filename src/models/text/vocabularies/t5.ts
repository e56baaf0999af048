/** T5's vocabulary, which the user has: in a folder of tokenizers, or with ComfyUI. */
import { huggingFaceVocabulary, type TokenizerDescription } from './hugging-face.js';
import { readTokenizer } from './tokenizer-file.js';
import type { Vocabulary } from './vocabulary.js';

interface T5Description extends TokenizerDescription {
  readonly normalizer?: { readonly type?: string; readonly normalizers?: readonly object[] } | null;
}

/** The vocabulary of a T5 `tokenizer.json`, perhaps gzipped. Throws `ModelError` for another kind of file. */
export function t5Vocabulary(path: string): Vocabulary {
  const description: T5Description = readTokenizer(path, {
    of: 'T5',
    fault: (vocabulary) => (Array.isArray(vocabulary) ? undefined : 'it has no list of pieces'),
  });
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
