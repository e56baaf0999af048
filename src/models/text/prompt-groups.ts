/** A prompt as tokens that belong together: runs of text between changes of weight, and embeddings (ComfyUI comfy/sd1_clip.py, SDTokenizer). */
import { shorten } from '../../safe-text.js';
import { ModelError } from '../model-error.js';
import { readEmbedding, type EmbeddingFiles, type EmbeddingUse } from './embeddings.js';
import { parseWeights, pythonSpace, splitEmbeddings, unescape } from './prompt.js';
import type { WeightedToken } from './text-encoding.js';

export interface PromptGroupOptions {
  /** Where `embedding:NAME` is looked up. */
  readonly embeddings: EmbeddingFiles;
  readonly embedding: EmbeddingUse;
  /** Told of embeddings that are missing or can't be read; they are left out, as in ComfyUI. */
  readonly warn: (message: string) => void;
  /** Whether parentheses weigh; where they don't, they are text. */
  readonly weighted: boolean;
  readonly tokenize: (text: string) => readonly number[];
}

/** Throws `RangeError` for a prompt that is absurdly long or deep. */
export function promptGroups(prompt: string, options: PromptGroupOptions): WeightedToken[][] {
  const unknown = new UnknownEmbeddings(options);
  const groups: WeightedToken[][] = [];
  const runs = options.weighted ? parseWeights(prompt) : [{ text: unescape(prompt), weight: 1 }];
  for (const { text, weight } of runs) {
    for (const part of splitEmbeddings(text)) {
      let plainText = part.kind === 'text' ? part.text : '';
      if (part.kind === 'embedding') {
        const { vectors, leftover } = resolveEmbedding(part.words, options, unknown);
        if (vectors !== undefined) groups.push(vectors.map((token) => ({ token, weight })));
        plainText = leftover;
      }
      if (plainText !== '') groups.push(options.tokenize(plainText).map((token) => ({ token, weight })));
    }
  }
  unknown.tell();
  return groups;
}

interface ResolvedEmbedding {
  readonly vectors: readonly Float32Array[] | undefined;
  /** What follows the name, to be read as text. */
  readonly leftover: string;
}

/**
 * The first word is the name, up to a bracket; when there is no such file it is tried again without the commas around it, which then are
 * text (ComfyUI SDTokenizer._try_get_embedding).
 */
function resolveEmbedding(
  words: string,
  options: PromptGroupOptions,
  unknown: UnknownEmbeddings,
): ResolvedEmbedding {
  const [first = '', ...others] = words.split(spaces).filter((word) => word !== '');
  const bracket = first.search(/[<[]/);
  const name = bracket < 0 ? first : first.slice(0, bracket);
  const following = bracket < 0 ? others : [first.slice(bracket), ...others];
  const leftover = following.join(' ');
  const exact = tryRead(name, options);
  const stripped = name.replace(/^,+|,+$/g, '');
  if (Array.isArray(exact) || stripped === name) return { vectors: unknown.orNote(exact, name), leftover };
  return {
    vectors: unknown.orNote(tryRead(stripped, options), stripped),
    leftover: `${name.slice(stripped.length)} ${leftover}`,
  };
}

const spaces = new RegExp(`${pythonSpace}+`, 'u');

/** The embedding's vectors, or why there are none. */
function tryRead(name: string, options: PromptGroupOptions): Float32Array[] | ModelError {
  try {
    return readEmbedding(options.embeddings, name, options.embedding);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

/** Embeddings of a prompt that are told by name; of a prompt with thousands, the others are counted. */
const MAX_TOLD = 10;

/** What a prompt names as embeddings and can't have, told once a name. */
class UnknownEmbeddings {
  private readonly reasons = new Map<string, string>();

  constructor(private readonly options: PromptGroupOptions) {}

  orNote(result: Float32Array[] | ModelError, name: string): Float32Array[] | undefined {
    if (Array.isArray(result)) return result;
    this.reasons.set(name, result.message);
    return undefined;
  }

  tell(): void {
    for (const [name, reason] of [...this.reasons].slice(0, MAX_TOLD)) {
      this.options.warn(`embedding:${shorten(name)} in a prompt is ignored: ${shorten(reason, 500)}`);
    }
    const more = this.reasons.size - MAX_TOLD;
    if (more > 0) this.options.warn(`${more} more embeddings in a prompt are ignored`);
  }
}
