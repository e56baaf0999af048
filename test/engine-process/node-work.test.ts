import { expect, test } from 'vitest';
import { workOf } from '../../src/engine-process/node-work.js';
import { nodeClasses } from '../../src/nodes/index.js';

test.each([
  ['CheckpointLoaderSimple', 'loading'],
  ['LoraLoader', 'loading'],
  ['VAELoader', 'loading'],
  ['CLIPTextEncode', 'encoding'],
  ['ConditioningCombine', 'encoding'],
  ['KSampler', 'sampling'],
  ['KSamplerAdvanced', 'sampling'],
  ['VAEDecode', 'decoding'],
  ['VAEDecodeTiled', 'decoding'],
  ['VAEEncode', undefined],
  ['EmptyLatentImage', undefined],
  ['LoadImage', undefined],
  ['ImageScale', undefined],
  ['SaveImage', undefined],
])('%s does %s', (name, work) => {
  expect(workOf(nodeClasses.get(name)!)).toBe(work);
});
