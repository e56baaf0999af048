/** A prompt as CLIP takes it: sections of 77 tokens, each with its weight (ComfyUI SDTokenizer). */
import { shorten } from '../../safe-text.js';
import { ModelError } from '../model-error.js';
import { readEmbedding, type EmbeddingUse } from '../text/embeddings.js';
import { parseWeights, pythonSpace, splitEmbeddings } from '../text/prompt.js';
import type { Section, TokenizeOptions, WeightedToken } from '../text/text-encoding.js';
import { endToken, startToken, tokenize } from './tokenizer.js';

export interface SectionOptions extends TokenizeOptions {
  /** What fills a section after its end: CLIP-L repeats the end token, the OpenCLIP encoders take 0. */
  readonly padToken: number;
  readonly embedding: EmbeddingUse;
}

export const sectionLength = 77;
/** A word of fewer tokens is never cut in two. */
const longWord = 8;

/** A section without words. */
export function emptySection(padToken: number): Section {
  return finish([plain(startToken)], padToken);
}

/** Splits a prompt into one or more sections. */
export function toSections(prompt: string, options: SectionOptions): Section[] {
  const capacity = sectionLength - 1;
  const sections: Section[] = [];
  let section = [plain(startToken)];
  const close = () => {
    sections.push(finish(section, options.padToken));
    section = [plain(startToken)];
  };
  const unknown = new UnknownEmbeddings(options);
  for (const group of tokenGroups(prompt, options, unknown)) {
    let taken = 0;
    while (section.length + group.length - taken > capacity) {
      if (group.length >= longWord) {
        const room = capacity - section.length;
        section.push(...group.slice(taken, taken + room));
        taken += room;
      }
      close();
    }
    section.push(...group.slice(taken));
  }
  close();
  unknown.tell();
  return sections;
}

function plain(token: number): WeightedToken {
  return { token, weight: 1 };
}

function finish(section: readonly WeightedToken[], padToken: number): Section {
  const padding = sectionLength - section.length - 1;
  return [...section, plain(endToken), ...Array.from({ length: padding }, () => plain(padToken))];
}

/** Tokens that belong together: a run of text between changes of weight, or an embedding. */
function* tokenGroups(
  prompt: string,
  options: SectionOptions,
  unknown: UnknownEmbeddings,
): Generator<WeightedToken[]> {
  for (const { text, weight } of parseWeights(prompt)) {
    for (const part of splitEmbeddings(text)) {
      let plainText = part.kind === 'text' ? part.text : '';
      if (part.kind === 'embedding') {
        const { vectors, leftover } = resolveEmbedding(part.words, options, unknown);
        if (vectors !== undefined) yield vectors.map((token) => ({ token, weight }));
        plainText = leftover;
      }
      if (plainText !== '') yield tokenize(plainText).map((token) => ({ token, weight }));
    }
  }
}

interface ResolvedEmbedding {
  readonly vectors: readonly Float32Array[] | undefined;
  /** What follows the name, to be read as text. */
  readonly leftover: string;
}

/**
 * The first word is the name; when there is no such file it is tried again without the commas around it, which then are
 * text (ComfyUI SDTokenizer._try_get_embedding).
 */
function resolveEmbedding(
  words: string,
  options: SectionOptions,
  unknown: UnknownEmbeddings,
): ResolvedEmbedding {
  const [name = '', ...following] = words.split(spaces).filter((word) => word !== '');
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
function tryRead(name: string, options: SectionOptions): Float32Array[] | ModelError {
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

  constructor(private readonly options: SectionOptions) {}

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
