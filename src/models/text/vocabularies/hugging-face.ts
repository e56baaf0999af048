/** Tokenizers as Hugging Face's library describes them, run by its port to JavaScript. */
import * as library from '@huggingface/tokenizers';
import { CharacterMap, normalizeClusters } from './charsmap.js';
import type { Vocabulary } from './vocabulary.js';

/** What is used of the library's class, whose own types resolve for bundlers only. */
interface LibraryTokenizer {
  readonly normalizer: { normalize: (text: string) => string } | null;
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly number[] };
}

const Tokenizer = (library as unknown as Record<'Tokenizer', unknown>).Tokenizer as new (
  description: TokenizerDescription,
  config: object,
) => LibraryTokenizer;

/** What of a `tokenizer.json` is looked at here; the library reads the rest. */
export interface TokenizerDescription {
  readonly normalizer?: { readonly type?: string; readonly precompiled_charsmap?: string } | null;
  readonly added_tokens?: readonly AddedToken[];
}

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly normalized: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly single_word: boolean;
}

export function addedToken(id: number, content: string): AddedToken {
  return { id, content, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false };
}

/** The vocabulary of a `tokenizer.json`, without what its post-processor adds. */
export function huggingFaceVocabulary(description: TokenizerDescription): Vocabulary {
  const tokenizer = new Tokenizer(description, {});
  const { normalizer } = description;
  if (normalizer?.type === 'Precompiled' && tokenizer.normalizer !== null) {
    // The library only approximates the map.
    const map = new CharacterMap(Buffer.from(normalizer.precompiled_charsmap ?? '', 'base64'));
    tokenizer.normalizer.normalize = (text) => normalizeClusters(map, text);
  }
  return { encode: (text) => [...tokenizer.encode(text, { add_special_tokens: false }).ids] };
}
