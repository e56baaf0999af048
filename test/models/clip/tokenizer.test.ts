import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tokenize } from '../../../src/models/clip/tokenizer.js';
import { fixture } from '../../support/golden.js';

// Expected ids: transformers 5.18 CLIPTokenizer (tokenizers 0.23), which ComfyUI 0.3.64 tokenises with.
describe('tokenize', () => {
  it.each<[text: string, tokens: readonly number[]]>([
    ['', []],
    ['A  knight\t\n\u00a0riding\u3000', [320, 7355, 6765]],
    ["it's they're WE'LL 'x 'S", [585, 568, 889, 982, 649, 1342, 262, 343, 568]],
    ['3d 16-bit 2048\u00b2 \u00bd', [274, 323, 272, 277, 268, 2010, 273, 271, 275, 279, 41175, 33613]],
    ['cafe\u0301 caf\u00e9 \u00c0\u00c9\u00ce \u00f1', [15304, 15304, 36149, 3459, 127, 362, 127, 365]],
    [
      '\u65e5\u672c\u8a9e \ud55c\uad6d\uc5b4 \u0627\u0644\u0639\u0631\u0628\u064a\u0629',
      [
        39121, 44353, 34002, 508, 15197, 250, 31871, 255, 31625, 368, 12973, 18843, 10948, 16378, 12046,
        20915,
      ],
    ],
    [
      '\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3',
      [138, 123, 138, 112, 138, 123, 139, 481, 139, 225, 138, 109, 139, 481],
    ],
    ['\u0130stanbul \u1e9e', [328, 16384, 11231, 127, 509]],
    [
      '\ud83d\ude42\ud83d\udc69\u200d\ud83d\ude80 \u2026\u2014\u201c\u201d',
      [32006, 26304, 13542, 7095, 6718, 728, 250, 728, 507],
    ],
    ['a\u0085b\ufeffc\u200bd', [320, 321, 171, 119, 379, 322, 9844, 323]],
    [
      '!!!...?! <lora:x:1> &amp;',
      [11194, 3002, 2835, 283, 2179, 320, 281, 343, 281, 272, 285, 261, 6259, 282],
    ],
    [
      "<|endoftext|> <|EndOfText|>!! <|startoftext|>x<|StartOfText|>'s",
      [49407, 27, 347, 40786, 4160, 91, 285, 748, 49406, 343, 49406, 568],
    ],
    [
      'pneumonoultramicroscopicsilicovolcanoconiosis',
      [28714, 749, 20253, 9800, 535, 532, 1065, 901, 1556, 13697, 9916, 78, 39031, 13903],
    ],
    ['\u0000\u0001\u007f', [188, 189, 477]],
  ])('%j', (text, tokens) => {
    expect(tokenize(text)).toEqual(tokens);
  });

  it('takes a megabyte of gibberish without a space in it', () => {
    const letters = Array.from(
      { length: 4096 },
      (_, index) => 97 + ((index * 7919 + (index >> 3) * 31) % 26),
    );
    const word = String.fromCharCode(...letters).repeat(256);
    const started = performance.now();
    expect(tokenize(word).length).toBeGreaterThan(100_000);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('characters that transformers 4 treated otherwise', () => {
  // tools/reference/clip_characters.py
  const cases = JSON.parse(readFileSync(fixture('clip/characters.json'), 'utf8')) as readonly {
    readonly text: string;
    readonly tokens: readonly number[];
  }[];
  it.each(cases.map(({ text, tokens }) => [JSON.stringify(text), text, tokens] as const))(
    '%s',
    (_, text, tokens) => {
      expect(tokenize(text)).toEqual(tokens);
    },
  );
});
