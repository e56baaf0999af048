import { byteSymbols, bytesInOrder } from '../text/vocabularies/byte-symbols.js';

/**
 * CLIP's byte-pair encoding. A word is its UTF-8 bytes, each a symbol; the neighbours that were merged first when the
 * vocabulary was learned are merged first, until none are left to merge (Sennrich et al. 2016; OpenAI CLIP
 * simple_tokenizer.py).
 *
 * The vocabulary needs no file of its own: 256 bytes, the same 256 ending a word, then one token per merge in order.
 */
const endOfWord = '</w>';
const firstMergedToken = 512;
const cachedWords = 8192;

export class BytePairEncoding {
  /** Rank of each pair, by its line in the merges: the two symbols with a space between. */
  private readonly ranks = new Map<string, number>();
  private readonly cache = new Map<string, readonly number[]>();

  /** `merges`: one pair a line, best first. */
  constructor(merges: string) {
    for (let start = 0, rank = 0; start < merges.length; rank++) {
      const newline = merges.indexOf('\n', start);
      const end = newline < 0 ? merges.length : newline;
      this.ranks.set(merges.slice(start, end), rank);
      start = end + 1;
    }
  }

  /** Tokens in the vocabulary, without the two special ones that follow them. */
  get size(): number {
    return firstMergedToken + this.ranks.size;
  }

  /** Tokens of one word, which must not be empty. */
  encode(word: string): readonly number[] {
    const known = this.cache.get(word);
    if (known !== undefined) return known;
    const tokens = this.merge(word);
    if (this.cache.size >= cachedWords) this.cache.clear();
    this.cache.set(word, tokens);
    return tokens;
  }

  private merge(word: string): readonly number[] {
    const bytes = Buffer.from(word, 'utf8');
    const symbols = Array.from(bytes, (byte) => byteSymbols[byte]!);
    const tokens = Array.from(bytes, (byte) => byteTokens[byte]!);
    const last = bytes.length - 1;
    symbols[last] = symbols[last]! + endOfWord;
    tokens[last] = tokens[last]! + 256;

    // ranks[i] is that of the pair (i, i + 1); only pairs beside a merge change from one pass to the next.
    const ranks = symbols.map((_, index) => this.rankAt(symbols, index));
    for (;;) {
      const best = minimum(ranks);
      if (best === Infinity) return tokens;
      const merged: number[] = [];
      let write = 0;
      for (let read = 0; read < ranks.length; write++) {
        if (ranks[read] === best) {
          symbols[write] = symbols[read]! + symbols[read + 1]!;
          tokens[write] = firstMergedToken + best;
          merged.push(write);
          read += 2;
        } else {
          symbols[write] = symbols[read]!;
          tokens[write] = tokens[read]!;
          ranks[write] = ranks[read]!;
          read += 1;
        }
      }
      symbols.length = tokens.length = ranks.length = write;
      for (const index of merged) {
        if (index > 0) ranks[index - 1] = this.rankAt(symbols, index - 1);
        ranks[index] = this.rankAt(symbols, index);
      }
    }
  }

  private rankAt(symbols: readonly string[], index: number): number {
    if (index + 1 >= symbols.length) return Infinity;
    return this.ranks.get(`${symbols[index]!} ${symbols[index + 1]!}`) ?? Infinity;
  }
}

function minimum(values: readonly number[]): number {
  let least = Infinity;
  for (const value of values) if (value < least) least = value;
  return least;
}

/** Tokens of bytes, by byte. */
const byteTokens: number[] = new Array<number>(256);
bytesInOrder.forEach((byte, token) => {
  byteTokens[byte] = token;
});
