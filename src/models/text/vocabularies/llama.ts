/** Llama 3's vocabulary, which the user has: in a folder of tokenizers, or with ComfyUI. */
import { huggingFaceVocabulary } from './hugging-face.js';
import { readTokenizer } from './tokenizer-file.js';
import type { Vocabulary } from './vocabulary.js';

/** The vocabulary of a Llama 3 `tokenizer.json`, perhaps gzipped. Throws `ModelError` for another kind of file. */
export function llamaVocabulary(path: string): Vocabulary {
  return huggingFaceVocabulary(
    readTokenizer(path, {
      of: 'Llama 3',
      fault: (vocabulary) =>
        typeof vocabulary === 'object' && vocabulary !== null && !Array.isArray(vocabulary)
          ? undefined
          : 'it has no pairs of pieces',
    }),
  );
}
