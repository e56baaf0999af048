import { expect, test } from 'vitest';
import { withInfotext } from '../../../src/fronts/a1111/from-infotext.js';
import { parseInfotext, writeInfotext } from '../../../src/fronts/a1111/infotext.js';

// The example in modules/infotext_utils.py, parse_generation_parameters.
const EXAMPLE = `girl with an artist's beret, determined, ((eyeshadow)), intricate
second line
Negative prompt: ugly, fat, (((deformed))), [blurry]
messy drawing
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b`;

test("A1111's text is read", () => {
  expect(parseInfotext(EXAMPLE)).toMatchObject({
    Prompt: "girl with an artist's beret, determined, ((eyeshadow)), intricate\nsecond line",
    'Negative prompt': 'ugly, fat, (((deformed))), [blurry]\nmessy drawing',
    Steps: '20',
    Sampler: 'Euler a',
    'CFG scale': '7',
    Seed: '965400086',
    'Size-1': '512',
    'Size-2': '512',
    'Model hash': '45dee52b',
    'Clip skip': '1',
    'Schedule type': 'Automatic',
  });
});

test('what is written is read again', () => {
  const fields = { Steps: 4, Sampler: 'DPM++ 2M', Model: 'a, b: "c"', Size: '64x128', Left: undefined };
  const text = writeInfotext({ prompt: 'a knight, red', negative: 'x', fields });
  expect(text).toBe(
    String.raw`a knight, red
Negative prompt: x
Steps: 4, Sampler: DPM++ 2M, Model: "a, b: \"c\"", Size: 64x128`,
  );
  expect(parseInfotext(text)).toMatchObject({
    Prompt: 'a knight, red',
    'Negative prompt': 'x',
    Model: 'a, b: "c"',
    'Size-1': '64',
    'Size-2': '128',
  });
});

test('a text without fields is a prompt', () => {
  expect(parseInfotext('only words: two, fields: here')).toMatchObject({
    Prompt: 'only words: two, fields: here',
  });
});

test('a request takes from its infotext what it leaves out', () => {
  expect(withInfotext({ infotext: EXAMPLE, steps: 3 }, 'txt2img')).toMatchObject({
    negative_prompt: 'ugly, fat, (((deformed))), [blurry]\nmessy drawing',
    steps: 3,
    seed: 965400086,
    width: 512,
    sampler_name: 'Euler a',
    override_settings: {},
  });
});
