import { describe, expect, it } from 'vitest';
import type { EmbeddingFiles } from '../../../src/models/text/embeddings.js';
import { parseWeights } from '../../../src/models/text/prompt.js';
import { toSections, type SectionOptions } from '../../../src/models/clip/sections.js';
import type { Section } from '../../../src/models/text/text-encoding.js';
import { ModelError } from '../../../src/models/model-error.js';
import { fixtureEmbeddings, parsePythonFloat, readFixture, type ReferencePrompt } from './reference.js';

type Rows = readonly (readonly (readonly [token: number, weight: number])[])[];

/** ComfyUI's rows: by tokenizer (`sd15`; `sdxl` has `l` and `g`), by prompt. */
const golden = readFixture('tokens.json') as {
  readonly sd15: Readonly<Record<string, Rows>>;
  readonly sdxl: Readonly<Record<string, { readonly l: Rows; readonly g: Rows }>>;
};
const reference = readFixture('prompts.json') as readonly ReferencePrompt[];

const noEmbeddings: EmbeddingFiles = {
  list: () => [],
  open: (name) => {
    throw new ModelError(`no ${name}`);
  },
};

function options(
  padToken: number,
  embeddings: EmbeddingFiles = noEmbeddings,
): SectionOptions & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    padToken,
    embedding: { key: 'clip_l', width: 768 },
    embeddings,
    warn: (message) => warnings.push(message),
    warnings,
  };
}

const rowsOf = (sections: readonly Section[]) =>
  sections.map((section) => section.map(({ token, weight }) => [token, weight]));

describe('toSections', () => {
  describe.each(Object.keys(golden.sd15))('%j', (prompt) => {
    it("is ComfyUI's for CLIP-L", () => {
      expect(rowsOf(toSections(prompt, options(49407)))).toEqual(golden.sd15[prompt]);
      expect(rowsOf(toSections(prompt, options(49407)))).toEqual(golden.sdxl[prompt]!.l);
    });

    it("is ComfyUI's for OpenCLIP", () => {
      expect(rowsOf(toSections(prompt, options(0)))).toEqual(golden.sdxl[prompt]!.g);
    });
  });

  it.each(reference)('puts embeddings where ComfyUI does: $prompt', ({ prompt, rows }) => {
    const sections = toSections(prompt, options(49407, fixtureEmbeddings()));
    expect(sections.every((section) => section.length === 77)).toBe(true);
    const shown = sections.map((section, index) =>
      section.slice(0, rows[index]?.length).map(({ token, weight }) => {
        const plain = typeof token === 'number' ? token : [...(token as Float32Array).slice(0, 2)];
        return [plain, weight];
      }),
    );
    const expected = rows.map((row) => row.map(([token, weight]) => [token, parsePythonFloat(weight)]));
    expect(shown).toEqual(expected);
  });

  it('warns of embeddings that are left out', () => {
    const given = options(49407, fixtureEmbeddings());
    toSections('embedding:tow, embedding:../models/embeddings/two embedding:', given);
    expect(given.warnings).toHaveLength(3);
    expect(given.warnings[0]).toMatch(/^embedding:tow in a prompt is ignored: no embeddings file "tow"/);
  });
});

describe('a prompt of a megabyte', () => {
  it('is refused', () => {
    expect(() => toSections('cat '.repeat(250_000), options(0))).toThrow(
      'a prompt has at most 200000 characters; this one has 1000000',
    );
  });

  // Each took minutes where cost grew with the square of the length.
  it.each(['1', '世界', 'cat ', '(a:1)', '(a:11', '\u0301', '!'])(
    'of %j is cut in linear time up to there',
    (text) => {
      const prompt = text.repeat(200_000 / text.length);
      expect(toSections(prompt, options(0)).at(-1)).toHaveLength(77);
    },
  );

  it('tells ten of its unknown embeddings, and how many more', () => {
    const given = options(0, fixtureEmbeddings());
    const names = Array.from({ length: 5000 }, (_, index) => ` embedding:no${index % 3000}`);
    toSections(names.join(''), given);
    expect(given.warnings).toHaveLength(11);
    expect(given.warnings.at(-1)).toBe('2990 more embeddings in a prompt are ignored');
  });
});

describe('parseWeights', () => {
  it.each(reference)('weighs as ComfyUI: $prompt', ({ prompt, weights }) => {
    const parts = parseWeights(prompt).map(({ text, weight }) => [text, weight]);
    expect(parts).toEqual(weights.map(([text, weight]) => [text, parsePythonFloat(weight)]));
  });

  it('reads a weight of a hundred thousand digits', () => {
    const digits = '1'.repeat(100_000);
    expect(parseWeights(`(a:${digits}x)`)).toEqual([{ text: `a:${digits}x`, weight: 1.1 }]);
  });

  it('refuses parentheses beyond reason', () => {
    expect(() => parseWeights('('.repeat(2000) + ')'.repeat(2000))).toThrow(RangeError);
  });
});
