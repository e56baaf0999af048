/** Where encoders get their vocabularies from: the package, the checkpoint, or the user's own files. */
import { elementCount } from '../../../compute/tensor.js';
import type { Folders } from '../../folders/folders.js';
import { ModelError } from '../../model-error.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { readSentencePieceModel } from './sentence-piece-model.js';
import { sentencePieceVocabulary } from './sentence-piece.js';
import { t5Vocabulary } from './t5.js';
import { tekkenVocabulary } from './tekken.js';
import type { Vocabulary } from './vocabulary.js';

export interface Vocabularies {
  /** T5's. Throws `ModelError` saying which file is missing, and where it is looked for. */
  t5(): Vocabulary;
}

/** Vocabularies of the user's own, each read once. */
export function userVocabularies(folders: Folders): Vocabularies {
  let t5: { readonly path: string; readonly vocabulary: Vocabulary } | undefined;
  return {
    t5() {
      const path = folders.resolveVocabulary('t5');
      if (t5?.path !== path) t5 = { path, vocabulary: t5Vocabulary(path) };
      return t5.vocabulary;
    },
  };
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
