/**
 * Text to CLIP's tokens, as transformers' CLIPTokenizer (tokenizers backend) does it: NFC, one kind of space, lower case;
 * then words, numerals one by one, and runs of punctuation, each by byte-pair encoding. Prompt syntax is `prompt.ts`'s.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { BytePairEncoding } from './bpe.js';

export const startToken = 49406;
export const endToken = 49407;

/** Tokens of `text`, without start and end. Throws an `Error` when the package's merges can't be read. */
export function tokenize(text: string): number[] {
  const bpe = (encoding ??= loadEncoding());
  const tokens: number[] = [];
  // The tokenizer knows `<|endoftext|>` as it is typed, `<|startoftext|>` after normalisation.
  forEachBetween(text, '<|endoftext|>', endToken, tokens, (raw) => {
    forEachBetween(normalize(raw), '<|startoftext|>', startToken, tokens, (segment) => {
      for (const [piece] of segment.matchAll(pieces)) {
        for (const [word] of piece.matchAll(words)) {
          for (const token of bpe.encode(word)) tokens.push(token);
        }
      }
    });
  });
  return tokens;
}

let encoding: BytePairEncoding | undefined;

function loadEncoding(): BytePairEncoding {
  // Three folders below the package's root from both src/models/clip and dist/models/clip.
  const path = new URL('../../../data/clip-merges.txt.gz', import.meta.url);
  return new BytePairEncoding(gunzipSync(readFileSync(path)).toString('utf8'));
}

const pieces =
  /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;
/** What the byte-level step splits once more; only a special token's letters are apart from its brackets. */
const words = /'(?:s|t|re|ve|m|ll|d)|\p{L}+|\p{N}+|[^\p{White_Space}\p{L}\p{N}]+/gu;

function normalize(text: string): string {
  // tokenizers lowers each character by itself: a final sigma is no exception there.
  return text.normalize('NFC').replaceAll('Σ', 'σ').toLowerCase();
}

function forEachBetween(
  text: string,
  separator: string,
  token: number,
  tokens: number[],
  body: (segment: string) => void,
): void {
  text.split(separator).forEach((segment, index) => {
    if (index > 0) tokens.push(token);
    body(segment);
  });
}
