import { describe, expect, test } from 'vitest';
import { chunksForComfy, parseAttention } from '../../../src/fronts/a1111/prompt/attention.js';
import { promptsOf } from '../../../src/fronts/a1111/prompt/compose.js';
import { nameEmbeddings } from '../../../src/fronts/a1111/prompt/embeddings.js';
import { parseNetworks } from '../../../src/fronts/a1111/prompt/extra-networks.js';
import { promptStages } from '../../../src/fronts/a1111/prompt/schedule.js';
import { shareAfterStep } from '../../../src/fronts/a1111/prompt/step-share.js';

describe('emphasis', () => {
  // The examples in modules/prompt_parser.py, parse_prompt_attention.
  test.each([
    ['normal text', [['normal text', 1]]],
    [
      'an (important) word',
      [
        ['an ', 1],
        ['important', 1.1],
        [' word', 1],
      ],
    ],
    ['(unbalanced', [['unbalanced', 1.1]]],
    [String.raw`\(literal\]`, [['(literal]', 1]]],
    ['(unnecessary)(parens)', [['unnecessaryparens', 1.1]]],
    [
      'a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).',
      [
        ['a ', 1],
        ['house', 1.573],
        [' ', 1.1],
        ['on', 1],
        [' a ', 1.1],
        ['hill', 0.55],
        [', sun, ', 1.1],
        ['sky', 1.4641],
        ['.', 1.1],
      ],
    ],
  ] as const)('%s', (prompt, expected) => {
    const pieces = parseAttention(prompt).map((piece) => {
      if (piece === 'BREAK') throw new Error('no break is expected');
      return [piece.text, Number(piece.weight.toFixed(9))];
    });
    expect(pieces).toEqual(expected);
  });

  test.each([
    ['a (b) [c] d', ['a (b:1.1) (c:0.909090909) d']],
    [String.raw`a \(b\) (c \(d\):1.5)`, [String.raw`a \(b\) (c \(d\):1.5)`]],
    ['one BREAK (two BREAK three)', ['one', '(two:1.1)', '(three:1.1)']],
    ['no BREAKS here', ['no BREAKS here']],
  ])('%s in ComfyUI: %j', (prompt, expected) => {
    expect(chunksForComfy(prompt)).toEqual(expected);
  });

  test('brackets without end take no time', () => {
    expect(parseAttention('('.repeat(10_000))).toEqual([{ text: '', weight: 1 }].slice(1));
    expect(promptStages('['.repeat(10_000), 20)).toHaveLength(1);
  });
});

describe('prompts that change', () => {
  // The examples in modules/prompt_parser.py, get_learned_conditioning_prompt_schedules, of ten steps.
  test.each([
    ['test', [[10, 'test']]],
    [
      'a [b:3]',
      [
        [3, 'a '],
        [10, 'a b'],
      ],
    ],
    [
      'a [b: 3]',
      [
        [3, 'a '],
        [10, 'a b'],
      ],
    ],
    [
      'a [[[b]]:2]',
      [
        [2, 'a '],
        [10, 'a [[b]]'],
      ],
    ],
    [
      '[(a:2):3]',
      [
        [3, ''],
        [10, '(a:2)'],
      ],
    ],
    [
      'a [b : c : 1] d',
      [
        [1, 'a b  d'],
        [10, 'a  c  d'],
      ],
    ],
    [
      'a[b:[c:d:2]:1]e',
      [
        [1, 'abe'],
        [2, 'ace'],
        [10, 'ade'],
      ],
    ],
    ['a [unbalanced', [[10, 'a [unbalanced']]],
    [
      'a [b:.5] c',
      [
        [5, 'a  c'],
        [10, 'a b c'],
      ],
    ],
    [
      '((a][:b:c [d:3]',
      [
        [3, '((a][:b:c '],
        [10, '((a][:b:c d'],
      ],
    ],
    ['[a|(b:1.1)]', Array.from({ length: 10 }, (_, index) => [index + 1, index % 2 === 0 ? 'a' : '(b:1.1)'])],
  ] as const)('%s', (prompt, expected) => {
    const stages = promptStages(prompt, 10).map(({ endStep, text }) => [endStep, text]);
    expect(stages).toEqual(expected);
  });

  test('a change comes halfway between two steps, whatever their spacing', () => {
    expect(shareAfterStep({ scheduler: 'normal', steps: 11, firstStep: 0 }, 4)).toBeCloseTo(0.45);
    const karras = [0, 4, 9].map((step) =>
      shareAfterStep({ scheduler: 'karras', steps: 11, firstStep: 0 }, step),
    );
    expect(karras[0]).toBeGreaterThan(0);
    expect(karras).toEqual(karras.toSorted((a, b) => a - b));
    expect(shareAfterStep({ scheduler: 'karras', steps: 11, firstStep: 0 }, 10)).toBe(1);
    expect(shareAfterStep({ scheduler: 'normal', steps: 11, firstStep: 5 }, 0)).toBeCloseTo(0.55);
  });
});

test.each([
  ['a cat', [['a cat', 1]]],
  [
    'a cat AND a dog',
    [
      ['a cat ', 1],
      [' a dog', 1],
    ],
  ],
  [
    'a cat:1.2 AND a dog :.5',
    [
      ['a cat', 1.2],
      [' a dog', 0.5],
    ],
  ],
  [
    'HAND AND (a:1.5)',
    [
      ['HAND ', 1],
      [' (a:1.5)', 1],
    ],
  ],
] as const)('prompts beside each other: %s', (prompt, expected) => {
  expect(promptsOf(prompt).map(({ text, weight }) => [text.trim(), weight])).toEqual(
    expected.map(([text, weight]) => [text.trim(), weight]),
  );
});

describe('LoRAs', () => {
  const listed = ['pixel.safetensors', 'style/Oil.safetensors'];

  test.each([
    ['a <lora:pixel:0.5> b', 'a  b', [['pixel.safetensors', 0.5, 0.5]]],
    ['<lora:oil>', '', [['style/Oil.safetensors', 1, 1]]],
    ['<lora:style/Oil.safetensors:1:0.2>', '', [['style/Oil.safetensors', 0.2, 1]]],
    ['<lyco:pixel:unet=0.3:te=-1>', '', [['pixel.safetensors', 0.3, -1]]],
    ['1 < 2 > 0', '1 < 2 > 0', []],
  ] as const)('%s', (prompt, text, expected) => {
    const parsed = parseNetworks(prompt, listed);
    expect(parsed.text).toBe(text);
    expect(parsed.loras.map(({ file, model, clip }) => [file, model, clip])).toEqual(expected);
  });

  test.each([
    ['<lora:pixle:1>', /there is no LoRA "pixle".*pixel/],
    ['<lora:pixel:x>', /the weight "x" is no number/],
    ['<hypernet:a:1>', /there are no such networks here/],
  ])('%s is refused', (prompt, message) => {
    expect(() => parseNetworks(prompt, listed)).toThrow(message);
  });
});

test('embeddings are named as ComfyUI finds them', () => {
  const listed = ['easynegative.safetensors', 'neg/bad-hands.pt'];
  expect(nameEmbeddings('EasyNegative, (bad-hands:1.2),bad-hands-5', listed)).toBe(
    'embedding:easynegative, (embedding:neg/bad-hands:1.2),bad-hands-5',
  );
});
