import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/index.js';
import {
  CHECKPOINT,
  draw,
  hues,
  MODELS,
  rms,
  shareNear,
  SIDE,
  silhouette,
  starterEngine,
} from './drawing.js';

let engine: Engine;
beforeAll(() => {
  engine = starterEngine();
});
afterAll(() => engine.dispose());

test('the checkpoint is small enough for the package', () => {
  expect(statSync(join(MODELS, 'checkpoints', CHECKPOINT)).size).toBeLessThanOrEqual(24e6);
});

const plain = 'on a white background, pixel art';

describe('a colour in the prompt is the colour of the picture', () => {
  test.each([
    ['red', 'a red potion', 0, 25],
    ['green', 'a green slime', 125, 35],
    ['blue', 'a blue shield', 222, 25],
    ['purple', 'a purple ghost', 275, 25],
  ])('%s', async (_, subject, hue, spread) => {
    const picture = await draw(engine, { prompt: `${subject} ${plain}`, seed: 3 });
    const found = hues(picture, silhouette(picture));
    expect(found.length).toBeGreaterThan((SIDE * SIDE) / 25);
    expect(shareNear(found, hue, spread)).toBeGreaterThan(0.6);
  });
});

test('pixels are squares of 4×4, as they were drawn', async () => {
  const picture = await draw(engine, { prompt: `a red heart ${plain}`, seed: 5 });
  let most = 0;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const first = (y - (y % 4)) * SIDE + x - (x % 4);
      for (let channel = 0; channel < 3; channel++) {
        const difference = picture[(y * SIDE + x) * 3 + channel]! - picture[first * 3 + channel]!;
        most = Math.max(most, Math.abs(difference));
      }
    }
  }
  expect(most).toBeLessThan(1e-3);
});

test('two seeds draw two pictures, one seed the same one twice', async () => {
  const prompt = `a gray knight ${plain}`;
  const one = await draw(engine, { prompt, seed: 1 });
  expect(rms(one, await draw(engine, { prompt, seed: 2 }))).toBeGreaterThan(0.05);
  expect(rms(one, await draw(engine, { prompt, seed: 1 }))).toBe(0);
});

test('image to image keeps the layout and changes the colour', async () => {
  const from = { prompt: `a big red heart ${plain}`, seed: 4 };
  const before = silhouette(await draw(engine, from));
  const picture = await draw(engine, { prompt: `a big blue heart ${plain}`, seed: 9, from, denoise: 0.7 });
  const after = silhouette(picture);
  const both = before.filter((inside, pixel) => inside && after[pixel]).length;
  const either = before.filter((inside, pixel) => inside || after[pixel]).length;
  expect(both / either).toBeGreaterThan(0.7);
  expect(shareNear(hues(picture, after), 222, 40)).toBeGreaterThan(0.5);
});

/** Their hues are 73, 78, 120 and 120 degrees. */
test('the LoRA draws in four greens, whatever the prompt says', async () => {
  const drawing = { prompt: `a red mushroom ${plain}`, seed: 6 };
  const everywhere = Array.from({ length: SIDE * SIDE }, () => true);
  const without = hues(await draw(engine, drawing), everywhere);
  const withIt = hues(await draw(engine, { ...drawing, lora: true }), everywhere);
  expect(shareNear(without, 97, 48)).toBeLessThan(0.2);
  expect(shareNear(withIt, 97, 48)).toBeGreaterThan(0.9);
});
