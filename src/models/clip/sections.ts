/** A prompt as CLIP takes it: sections of 77 tokens, each with its weight (ComfyUI SDTokenizer). */
import type { EmbeddingFiles, EmbeddingUse } from '../text/embeddings.js';
import { promptGroups } from '../text/prompt-groups.js';
import type { Section, TextWeighing, WeightedToken } from '../text/text-encoding.js';
import { endToken, startToken, tokenize } from './tokenizer.js';

export interface SectionOptions {
  /** Where `embedding:NAME` is looked up. */
  readonly embeddings: EmbeddingFiles;
  /** Told of embeddings that are missing or can't be read; they are left out, as in ComfyUI. */
  readonly warn: (message: string) => void;
  /** What fills a section after its end: CLIP-L repeats the end token, the OpenCLIP encoders take 0. */
  readonly padToken: number;
  readonly embedding: EmbeddingUse;
  /** Words are told apart where they are weighed in another way than ComfyUI's. */
  readonly weighing?: TextWeighing;
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
  const groups = promptGroups(prompt, { ...options, weighted: true, tokenize });
  for (const [index, tokens] of groups.entries()) {
    const group =
      options.weighing === undefined ? tokens : tokens.map((each) => ({ ...each, word: index + 1 }));
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
  return sections;
}

function plain(token: number): WeightedToken {
  return { token, weight: 1 };
}

function finish(section: readonly WeightedToken[], padToken: number): Section {
  const padding = sectionLength - section.length - 1;
  return [...section, plain(endToken), ...Array.from({ length: padding }, () => plain(padToken))];
}
