/** Text to pieces as the sentencepiece library does it: normalised, cut by score, what is unknown by its bytes. */
import { mergePieces } from './merge-pieces.js';
import type { PieceTable } from './piece-table.js';
import type { SentencePieceModel } from './sentence-piece-model.js';
import { UnigramLattice } from './unigram-lattice.js';
import type { Vocabulary } from './vocabulary.js';

/** U+2581, what a space is in a piece. */
const space = '\u2581';

/** The vocabulary of a SentencePiece model. */
export function sentencePieceVocabulary(model: SentencePieceModel): Vocabulary {
  const ids = new Map<string, number>();
  const bytes = new Map<number, number>();
  model.pieces.forEach(({ text, kind }, id) => {
    if (kind === 'byte') bytes.set(Number.parseInt(text.slice(1, -1), 16), id);
    else if (kind === 'normal' || kind === 'user defined') ids.set(text, id);
  });
  const fixed = model.pieces.filter(({ kind }) => kind === 'user defined').map(({ text }) => text);
  fixed.sort((a, b) => b.length - a.length);
  const table: PieceTable = { model, ids, fixed };
  const lattice = model.kind === 'unigram' ? new UnigramLattice(table) : undefined;
  return {
    encode(text) {
      const normalized = normalize(text, table);
      const tokens: number[] = [];
      let previousUnknown = false;
      for (const piece of lattice?.cut(normalized) ?? mergePieces(normalized, table)) {
        const id = ids.get(piece);
        const unknown = id === undefined;
        if (!unknown) tokens.push(id);
        else if (model.byteFallback) {
          for (const byte of Buffer.from(piece, 'utf8')) tokens.push(bytes.get(byte) ?? model.unknown);
        } else if (!previousUnknown) tokens.push(model.unknown);
        previousUnknown = unknown;
      }
      return tokens;
    },
  };
}

/** sentencepiece normalizer.cc, Normalizer::Normalize. */
function normalize(text: string, { model, fixed }: PieceTable): string {
  const { removesSpaces, map } = model;
  const bytes = Buffer.from(text, 'utf8');
  // A lone surrogate has become U+FFFD.
  const whole = bytes.toString('utf8');
  const parts: string[] = [];
  for (let at = 0, byte = 0; at < whole.length;) {
    const symbol = fixed.find((each) => whole.startsWith(each, at));
    const rule = symbol === undefined ? map?.match(bytes, byte) : undefined;
    if (rule !== undefined) {
      parts.push(Buffer.from(rule.becomes).toString('utf8'));
      at += bytes.toString('utf8', byte, byte + rule.length).length;
      byte += rule.length;
      continue;
    }
    const taken = symbol ?? String.fromCodePoint(whole.codePointAt(at)!);
    parts.push(taken);
    at += taken.length;
    byte += Buffer.byteLength(taken, 'utf8');
  }
  let result = '';
  let afterSpace = removesSpaces;
  for (const part of parts) {
    const kept = afterSpace ? part.replace(/^ +/, '') : part;
    result += kept;
    if (kept !== '') afterSpace = removesSpaces && kept.endsWith(' ');
  }
  if (removesSpaces) result = result.replace(/ +$/, '');
  if (result === '') return '';
  const prefixed = model.addsPrefix ? ` ${result}` : result;
  return model.escapesSpaces ? prefixed.replaceAll(' ', space) : prefixed;
}
