import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Weight } from '../../../src/compute/weight.js';
import type { EmbeddingFiles } from '../../../src/models/clip/embeddings.js';
import { toSections, type Section, type SectionOptions } from '../../../src/models/clip/sections.js';
import type { WeightSource } from '../../../src/models/weight-source.js';

type Rows = readonly (readonly (readonly [token: number, weight: number])[])[];

/** ComfyUI 0.3.64's own rows: by tokenizer (`sd15`; `sdxl` has `l` and `g`), by prompt. */
const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/clip/tokens.json', import.meta.url), 'utf8'),
) as { sd15: Record<string, Rows>; sdxl: Record<string, { l: Rows; g: Rows }> };

function source(tensors: Record<string, readonly (readonly number[])[]>): WeightSource {
  const weight = (key: string): Weight => {
    const rows = tensors[key]!;
    return {
      name: key,
      shape: [rows.length, rows[0]!.length],
      read: (into) => {
        into.set(rows.flat());
      },
    };
  };
  return {
    identity: 'test',
    keys: () => Object.keys(tensors),
    has: (key) => key in tensors,
    weight,
    rows: () => new Float32Array(0),
  };
}

function options(
  padToken: number,
  files: Record<string, Record<string, readonly (readonly number[])[]>> = {},
): SectionOptions & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const embeddings: EmbeddingFiles = { list: () => Object.keys(files), open: (name) => source(files[name]!) };
  return {
    padToken,
    embeddingKey: 'clip_l',
    embeddings,
    warn: (message) => warnings.push(message),
    warnings,
  };
}

const rowsOf = (sections: readonly Section[]) =>
  sections.map((section) => section.map(({ token, weight }) => [token, weight]));

/** Tokens between start and end of a single section; vectors as plain arrays. */
function words(section: Section): (number | number[])[] {
  const tokens = section.map(({ token }) => (typeof token === 'number' ? token : [...token]));
  return tokens.slice(
    1,
    tokens.lastIndexOf(
      49407,
      tokens.findIndex((token) => token === 49407),
    ),
  );
}

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

  it('keeps a short run whole and cuts a long one where the section ends', () => {
    const long = 'sword '.repeat(73);
    const short = toSections(`(${long}:1.2)(long castle dragon:1.1)`, options(49407));
    expect(short.map((section) => section.findIndex(({ token }) => token === 49407))).toEqual([74, 4]);
    const cut = toSections(`(${long}:1.2)(${'castle '.repeat(8)}:1.1)`, options(49407));
    expect(cut.map((section) => section.findIndex(({ token }) => token === 49407))).toEqual([76, 7]);
    expect(cut.every((section) => section.length === 77)).toBe(true);
  });
});

describe('embeddings in a prompt', () => {
  const files = {
    'easy.safetensors': {
      emb_params: [
        [1, 2],
        [3, 4],
      ],
    },
    'style/both.safetensors': { clip_g: [[9, 9, 9]], clip_l: [[5, 6]] },
    'old.pt': {},
    'bundle.safetensors': { other: [[0, 0]], 'bundle_emb.a.string_to_param.*': [[7, 8]] },
  };

  it('stand for their vectors, with the weight around them', () => {
    const [section] = toSections('(embedding:easy:1.3) knight', options(49407, files));
    expect(section!.slice(1, 4)).toEqual([
      { token: Float32Array.of(1, 2), weight: 1.3 },
      { token: Float32Array.of(3, 4), weight: 1.3 },
      { token: 7355, weight: 1 },
    ]);
  });

  it('are found in subfolders, by bundle keys, and with commas after the name', () => {
    const prompt = 'a embedding:both, b\nembedding:style/both.safetensors embedding:bundle';
    const given = options(49407, files);
    const [section] = toSections(prompt, given);
    expect(words(section!)).toEqual([320, [5, 6], 267, 321, [5, 6], [7, 8]]);
    expect(given.warnings).toEqual([]);
  });

  it('are left out with a warning when they are missing, pickled, or outside the folders', () => {
    const given = options(49407, files);
    const [section] = toSections('embedding:eazy, embedding:old embedding:../easy embedding:', given);
    expect(words(section!)).toEqual([267]);
    expect(given.warnings[0]).toContain('nearest: "easy"');
    expect(given.warnings[1]).toContain('convert it to safetensors');
    expect(given.warnings).toHaveLength(4);
  });
});
