/** Mistral's vocabulary, the `tekken.json` that files of its encoder carry as a tensor (ComfyUI comfy/text_encoders/flux.py, load_mistral_tokenizer). */
import { inByteSymbols } from './byte-symbols.js';
import { bytePairDescription } from './byte-pairs.js';
import { huggingFaceVocabulary } from './hugging-face.js';
import type { Vocabulary } from './vocabulary.js';

/** ComfyUI doesn't look at the file's own pattern: transformers' converter has tiktoken's cl100k. */
const pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

interface TekkenFile {
  readonly config: { readonly default_vocab_size: number };
  readonly vocab: readonly { readonly rank: number; readonly token_bytes: string }[];
  readonly special_tokens: readonly { readonly rank: number; readonly token_str: string }[];
}

/** Tokens are the special ones first, then the others by rank. Throws a `SyntaxError` or `TypeError` for another kind of file. */
export function tekkenVocabulary(file: Uint8Array): Vocabulary {
  const { config, vocab, special_tokens } = JSON.parse(Buffer.from(file).toString('utf8')) as TekkenFile;
  const first = special_tokens.length;
  const ranks = new Map<string, number>();
  for (const { rank, token_bytes } of vocab) {
    if (rank < config.default_vocab_size - first) {
      ranks.set(inByteSymbols(Buffer.from(token_bytes, 'base64')), rank);
    }
  }
  const description = bytePairDescription({
    vocabulary: Object.fromEntries([...ranks].map(([text, rank]) => [text, first + rank])),
    merges: mergesOf(ranks),
    pattern,
    special: new Map(special_tokens.map(({ rank, token_str }) => [rank, token_str])),
    wholeWords: true,
    normalizer: undefined,
  });
  return huggingFaceVocabulary(description);
}

/** The pairs that tokens of more than a byte are made of, by the rank of what they make. */
function mergesOf(ranks: ReadonlyMap<string, number>): (readonly [string, string])[] {
  const found: { readonly pair: readonly [string, string]; readonly order: readonly number[] }[] = [];
  for (const [text, rank] of ranks) {
    for (let cut = 1; cut < text.length; cut++) {
      const [left, right] = [text.slice(0, cut), text.slice(cut)];
      const [leftRank, rightRank] = [ranks.get(left), ranks.get(right)];
      if (leftRank === undefined || rightRank === undefined) continue;
      found.push({ pair: [left, right], order: [rank, leftRank, rightRank] });
    }
  }
  found.sort((a, b) => compare(a.order, b.order));
  return found.map(({ pair }) => pair);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, place) => value !== b[place]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}
