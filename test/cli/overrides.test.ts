import { expect, test } from 'vitest';
import { UsageError } from '../../src/cli/exit-codes.js';
import { applySeed, applySet, parseSeed } from '../../src/cli/overrides.js';
import type { Literal } from '../../src/workflow/literal.js';
import { parseWorkflow } from '../../src/workflow/parse.js';

const workflow = parseWorkflow(`{
  "3": {"class_type": "KSampler", "_meta": {"title": "Sampler v1.5"},
        "inputs": {"seed": 42, "cfg": 7.0, "sampler_name": "euler", "model": ["4", 0], "tiled": true}},
  "12.5": {"class_type": "CLIPTextEncode", "inputs": {"text": "x", "noise_seed": ["3", 0]}}
}`);

test.each<[string, string, string, Literal]>([
  ['3.seed=18446744073709551615', '3', 'seed', 18446744073709551615n],
  ['3.cfg=1.5', '3', 'cfg', 1.5],
  ['3.sampler_name=heun', '3', 'sampler_name', 'heun'],
  ['3.tiled=false', '3', 'tiled', false],
  ['3.model=["7", 1]', '3', 'model', ['7', 1n]],
  ['Sampler v1.5.cfg=3', '3', 'cfg', 3n],
  ['12.5.text=a=b.c=d', '12.5', 'text', 'a=b.c=d'],
  ['12.5.text=5', '12.5', 'text', '5'],
])('--set %s', (assignment, id, input, value) => {
  expect(applySet(workflow, assignment).nodes.get(id)!.inputs.get(input)).toEqual(value);
});

test.each([
  ['3.cfg', 'expected NODE.INPUT=VALUE'],
  ['4.cfg=1', 'no node has the id or the title "4"'],
  ['3.cfgg=1', 'has no input "cfgg"; it has seed, cfg, sampler_name, model, tiled'],
])('--set %s is refused', (assignment, message) => {
  expect(() => applySet(workflow, assignment)).toThrow(message);
  expect(() => applySet(workflow, assignment)).toThrow(UsageError);
});

test('--seed sets the seeds that are written out, not those that come by a link', () => {
  const seeded = applySeed(workflow, 2n ** 64n - 1n);
  expect(seeded.nodes.get('3')!.inputs.get('seed')).toBe(2n ** 64n - 1n);
  expect(seeded.nodes.get('12.5')!.inputs.get('noise_seed')).toEqual(['3', 0n]);
  expect(() => applySeed(parseWorkflow('{}'), 1n)).toThrow('no node of this workflow has a seed');
});

test('seeds are 64 bits wide', () => {
  expect(parseSeed('18446744073709551615')).toBe(2n ** 64n - 1n);
  expect(parseSeed('random')).toBeLessThan(2n ** 64n);
  for (const text of ['18446744073709551616', '-1', '1.5', '', 'x'])
    expect(() => parseSeed(text)).toThrow(UsageError);
});
