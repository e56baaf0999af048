import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyOptions } from '../../src/cli/run/apply-options.js';
import type { RunFlags } from '../../src/cli/run/flags.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { parseWorkflow } from '../../src/workflow/parse.js';
import { ROOT } from './latentd.js';

const folders = createFolders({
  models: '/nowhere',
  input: '/nowhere',
  output: '/nowhere',
  temp: '/nowhere',
});
const template = readFileSync(join(ROOT, 'graphs/sprite_optimized.json'), 'utf8');
const applied = (flags: RunFlags, text = template) =>
  [...applyOptions(parseWorkflow(text), { prompt: 'x', ...flags }, folders).nodes.values()].map(
    ({ inputs }) => Object.fromEntries(inputs),
  );

test('run takes the flags of submit', () => {
  const inputs = applied({ steps: '7', cfg: '3.5', size: '256x320', negative: 'blurry' });
  expect(inputs).toContainEqual(expect.objectContaining({ steps: 7n, cfg: 3.5 }));
  expect(inputs).toContainEqual(expect.objectContaining({ width: 256n, height: 320n }));
  expect(inputs).toContainEqual(expect.objectContaining({ text: 'blurry' }));
});

test('says which flag has no place, or is no number', () => {
  const bare = JSON.stringify({ '1': { class_type: 'PreviewAny', inputs: { source: '{{PROMPT}}' } } });
  expect(() => applied({ steps: '7' }, bare)).toThrow(
    '--steps: no sampler of this workflow takes it from a node',
  );
  expect(() => applied({ negative: 'x' }, bare)).toThrow('--negative: no sampler');
  expect(() => applied({ steps: '2.5' })).toThrow('--steps must be a whole number from 1 to 10000, not 2.5');
  expect(() => applied({ size: '12' })).toThrow('--size must be like 512x768, not "12"');
  expect(() => applied({ cfg: 'much' })).toThrow('--cfg must be a number, not "much"');
});
