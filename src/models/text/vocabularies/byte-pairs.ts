/** Byte-level byte-pair encodings, as descriptions that Hugging Face's tokenizers read. */
import { addedToken, type AddedToken, type TokenizerDescription } from './hugging-face.js';

export interface BytePairs {
  readonly vocabulary: Readonly<Record<string, number>>;
  /** Best first. */
  readonly merges: readonly (string | readonly [string, string])[];
  /** Where text is cut before anything is merged. */
  readonly pattern: string;
  /** By their numbers. */
  readonly special: ReadonlyMap<number, string>;
  /** A whole word that has a token of its own isn't put together by merges. */
  readonly wholeWords: boolean;
  readonly normalizer: 'NFC' | undefined;
}

export function bytePairDescription(pairs: BytePairs): TokenizerDescription {
  const description = {
    version: '1.0',
    added_tokens: [...pairs.special].map(([id, content]): AddedToken => addedToken(id, content)),
    normalizer: pairs.normalizer === undefined ? null : { type: pairs.normalizer },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pairs.pattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pairs.wholeWords,
      vocab: pairs.vocabulary,
      merges: pairs.merges,
    },
  };
  return description;
}
