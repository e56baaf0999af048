/** A SentencePiece model, as its file holds it (sentencepiece_model.proto). */
import { CharacterMap } from './charsmap.js';
import { protobufFields } from './protobuf.js';

export type PieceKind = 'normal' | 'unknown' | 'control' | 'user defined' | 'unused' | 'byte';

export interface VocabularyPiece {
  readonly text: string;
  /** float32. */
  readonly score: number;
  readonly kind: PieceKind;
}

export interface SentencePieceModel {
  /** By their number, which is the token's. */
  readonly pieces: readonly VocabularyPiece[];
  readonly kind: 'unigram' | 'bpe';
  /** What has no piece becomes the pieces of its bytes. */
  readonly byteFallback: boolean;
  readonly unknown: number;
  readonly map: CharacterMap | undefined;
  readonly addsPrefix: boolean;
  readonly removesSpaces: boolean;
  readonly escapesSpaces: boolean;
}

/** By their numbers in the file. */
const pieceKinds: Readonly<Record<number, PieceKind>> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'user defined',
  5: 'unused',
  6: 'byte',
};

/** Throws `RangeError` when it is damaged, or of a kind that no text encoder has. */
export function readSentencePieceModel(file: Uint8Array): SentencePieceModel {
  const pieces: VocabularyPiece[] = [];
  let trainer = new Map<number, number | Uint8Array>();
  let normalizer = new Map<number, number | Uint8Array>();
  for (const { number, value } of protobufFields(file)) {
    if (typeof value === 'number') continue;
    if (number === 1) pieces.push(readPiece(value));
    else if (number === 2) trainer = fieldsOf(value);
    else if (number === 3) normalizer = fieldsOf(value);
  }
  const kind = trainer.get(3) ?? 1;
  if (kind !== 1 && kind !== 2) {
    throw new RangeError(`it is of kind ${String(kind)}; unigram (1) and BPE (2) are known`);
  }
  const unknown = pieces.findIndex((piece) => piece.kind === 'unknown');
  if (unknown < 0) throw new RangeError('it has no piece for what is unknown');
  const map = normalizer.get(2);
  const flag = (number: number) => normalizer.get(number) !== 0;
  return {
    pieces,
    kind: kind === 1 ? 'unigram' : 'bpe',
    byteFallback: trainer.get(35) === 1,
    unknown,
    map: map instanceof Uint8Array && map.length > 0 ? new CharacterMap(map) : undefined,
    addsPrefix: flag(3),
    removesSpaces: flag(4),
    escapesSpaces: flag(5),
  };
}

function fieldsOf(message: Uint8Array): Map<number, number | Uint8Array> {
  return new Map([...protobufFields(message)].map(({ number, value }) => [number, value]));
}

function readPiece(message: Uint8Array): VocabularyPiece {
  const fields = fieldsOf(message);
  const text = fields.get(1);
  const score = fields.get(2);
  const kind = fields.get(3) ?? 1;
  return {
    text: text instanceof Uint8Array ? Buffer.from(text).toString('utf8') : '',
    score: score instanceof Uint8Array ? Buffer.from(score).readFloatLE(0) : 0,
    kind: (typeof kind === 'number' ? pieceKinds[kind] : undefined) ?? 'normal',
  };
}
