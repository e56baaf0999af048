/** Where encoders get their vocabularies from: the package, the checkpoint, or the user's own files. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { elementCount } from '../../../compute/tensor.js';
import type { Folders } from '../../folders/folders.js';
import type { VocabularyName } from '../../folders/vocabulary-files.js';
import { ModelError } from '../../model-error.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { readSentencePieceModel } from './sentence-piece-model.js';
import { sentencePieceVocabulary } from './sentence-piece.js';
import { llamaVocabulary } from './llama.js';
import { t5Vocabulary } from './t5.js';
import { tekkenVocabulary } from './tekken.js';
import type { Vocabulary } from './vocabulary.js';

export interface Vocabularies {
  /** T5's. Throws `ModelError` saying which file is missing, and where it is looked for. */
  t5(): Vocabulary;
  /** Llama 3's. Throws likewise. */
  llama(): Vocabulary;
  /** That of the T5 that was trained on the Pile (AuraFlow). Throws likewise. */
  pileT5(): Vocabulary;
}

/** Vocabularies of the user's own, each read once. */
export function userVocabularies(folders: Folders): Vocabularies {
  const known = new Map<VocabularyName, { readonly path: string; readonly vocabulary: Vocabulary }>();
  const of = (name: VocabularyName, read: (path: string) => Vocabulary): Vocabulary => {
    const path = folders.resolveVocabulary(name);
    const found = known.get(name);
    if (found?.path === path) return found.vocabulary;
    const vocabulary = read(path);
    known.set(name, { path, vocabulary });
    return vocabulary;
  };
  return {
    t5: () => of('t5', t5Vocabulary),
    llama: () => of('llama', llamaVocabulary),
    pileT5: () => of('t5_pile', sentencePieceFile),
  };
}

/** A SentencePiece model, perhaps gzipped. Throws `ModelError` for another kind of file. */
export function sentencePieceFile(path: string): Vocabulary {
  try {
    const bytes = readFileSync(path);
    return sentencePieceVocabulary(readSentencePieceModel(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError(`${path} is no SentencePiece model: ${reason}`, { cause: error });
  }
}

const ofFiles = new WeakMap<WeightSource, Vocabulary>();

/** The SentencePiece vocabulary that a checkpoint carries as `spiece_model`. Throws `ModelError` when it has none. */
export function spieceVocabulary(weights: WeightSource): Vocabulary {
  return carried(weights, 'spiece_model', (bytes) => sentencePieceVocabulary(readSentencePieceModel(bytes)));
}

/** Mistral's, that a checkpoint carries as `tekken_model`. Throws `ModelError` when it has none. */
export function tekkenOf(weights: WeightSource): Vocabulary {
  return carried(weights, 'tekken_model', tekkenVocabulary);
}

function carried(weights: WeightSource, key: string, read: (bytes: Uint8Array) => Vocabulary): Vocabulary {
  const known = ofFiles.get(weights);
  if (known !== undefined) return known;
  if (!weights.has(key)) {
    throw new ModelError(
      `${weights.path} has no vocabulary (no ${key}): take the file that ComfyUI's own examples name, which carries it`,
    );
  }
  try {
    const weight = weights.weight(key);
    const values = new Float32Array(elementCount(weight.shape));
    weight.read(values);
    const vocabulary = read(Uint8Array.from(values));
    ofFiles.set(weights, vocabulary);
    return vocabulary;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelError(`${weights.path}: ${key} is damaged or of an unknown kind: ${reason}`, {
      cause: error,
    });
  }
}
