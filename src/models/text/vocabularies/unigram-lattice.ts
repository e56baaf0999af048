import type { PieceTable } from './piece-table.js';

/** How much worse than the worst piece what has none is (sentencepiece unigram_model.cc, kUnkPenalty). */
const unknownPenalty = 10;

/**
 * The best way to cut a text into pieces: most likely by their scores (Viterbi; Kudo 2018). Scores are summed in float32, as
 * sentencepiece's EncodeOptimized does, which decides ties.
 */
export class UnigramLattice {
  private readonly longest: number;
  private readonly highest: number;
  private readonly unknownScore: number;

  constructor(private readonly table: PieceTable) {
    let longest = 0;
    let [lowest, highest] = [Infinity, -Infinity];
    for (const { text, score, kind } of table.model.pieces) {
      longest = Math.max(longest, text.length);
      if (kind !== 'normal') continue;
      lowest = Math.min(lowest, score);
      highest = Math.max(highest, score);
    }
    this.longest = longest;
    this.highest = highest;
    this.unknownScore = Math.fround(lowest - unknownPenalty);
  }

  /** The pieces of `text`; what is none is a character each. */
  cut(text: string): string[] {
    const best = new Float32Array(text.length + 1).fill(-Infinity);
    const from = new Int32Array(text.length + 1).fill(-1);
    best[0] = 0;
    const reach = (start: number, end: number, score: number): void => {
      const sum = Math.fround(best[start]! + score);
      if (from[end] !== -1 && sum <= best[end]!) return;
      best[end] = sum;
      from[end] = start;
    };
    for (let start = 0; start < text.length;) {
      const character = text.codePointAt(start)! > 0xffff ? 2 : 1;
      let single = false;
      const end = Math.min(text.length, start + this.longest);
      for (let stop = start + 1; stop <= end; stop++) {
        const id = this.table.ids.get(text.slice(start, stop));
        if (id === undefined) continue;
        const piece = this.table.model.pieces[id]!;
        const bytes = Buffer.byteLength(piece.text, 'utf8');
        reach(
          start,
          stop,
          piece.kind === 'user defined' ? Math.fround(bytes * this.highest - 0.1) : piece.score,
        );
        if (stop === start + character) single = true;
      }
      if (!single) reach(start, start + character, this.unknownScore);
      start += character;
    }
    const pieces: string[] = [];
    for (let end = text.length; end > 0; end = from[end]!) pieces.push(text.slice(from[end], end));
    return pieces.reverse();
  }
}
