/**
 * SentencePiece's `precompiled_charsmap`: rules of normalisation as a double-array trie over UTF-8 (Darts-clone, S. Yata) with
 * the texts behind it that they lead to (sentencepiece normalizer.cc).
 */
export class CharacterMap {
  private readonly units: Uint32Array;
  private readonly replacements: Uint8Array;

  /** Throws `RangeError` when the blob is cut short. */
  constructor(blob: Uint8Array) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const bytes = blob.byteLength < 4 ? 0 : view.getUint32(0, true);
    if (blob.byteLength < 4 + bytes) throw new RangeError('the map of characters is cut short');
    this.units = Uint32Array.from({ length: bytes >> 2 }, (_, index) => view.getUint32(4 + 4 * index, true));
    this.replacements = blob.subarray(4 + bytes);
  }

  /** The longest rule that applies at `from`: how many bytes it takes, and what they become. */
  match(
    text: Uint8Array,
    from: number,
  ): { readonly length: number; readonly becomes: Uint8Array } | undefined {
    let length = 0;
    let found = 0;
    let node = offsetOf(this.units[0] ?? 0);
    for (let index = from; index < text.length; index++) {
      const byte = text[index]!;
      node ^= byte;
      const unit = this.units[node];
      if (unit === undefined || labelOf(unit) !== byte) break;
      node ^= offsetOf(unit);
      if ((unit & 0x100) === 0) continue;
      length = index + 1 - from;
      found = this.units[node]! & 0x7fffffff;
    }
    if (length === 0) return undefined;
    const end = this.replacements.indexOf(0, found);
    return {
      length,
      becomes: this.replacements.subarray(found, end < 0 ? this.replacements.length : end),
    };
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function labelOf(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}

/** A short cluster is looked up as a whole, a longer one by its characters (tokenizers' spm_precompiled). */
const longestCluster = 6;

/** Normalises as the `Precompiled` normalizer of Hugging Face's tokenizers does: cluster by cluster. */
export function normalizeClusters(map: CharacterMap, text: string): string {
  const becomes = (part: string): string | undefined => {
    const bytes = Buffer.from(part, 'utf8');
    const rule = map.match(bytes, 0);
    return rule === undefined ? undefined : Buffer.from(rule.becomes).toString('utf8');
  };
  let result = '';
  for (const { segment } of clusters.segment(text)) {
    const whole = Buffer.byteLength(segment, 'utf8') < longestCluster ? becomes(segment) : undefined;
    if (whole !== undefined) result += whole;
    else for (const character of segment) result += becomes(character) ?? character;
  }
  return result;
}

const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' });
