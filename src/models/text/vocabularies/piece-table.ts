import type { SentencePieceModel } from './sentence-piece-model.js';

/** What of `model` both ways of cutting look at. */
export interface PieceTable {
  readonly model: SentencePieceModel;
  /** Pieces that text can be cut into. */
  readonly ids: ReadonlyMap<string, number>;
  /** Pieces that are cut out wherever they stand, the longest first. */
  readonly fixed: readonly string[];
}
