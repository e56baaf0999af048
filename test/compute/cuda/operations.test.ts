import { describe, expect, it } from 'vitest';
import { lowerForInputs } from '../../../src/compute/cuda/lower.js';
import { UnsupportedOperation } from '../../../src/compute/cuda/unsupported.js';
import { operationCases, relativeError } from '../fixtures.js';
import { interpret } from './interpreter/interpret.js';

const cases = operationCases('test/fixtures/compute/ops.safetensors');

/** Graphs with these run on the CPU. */
const elsewhere = new Set([
  // 5 channels and 3
  'concat',
  ...['group_norm_rows', 'tiled_attention', 'tiled_attention_whole', 'attention_received'],
  ...['merge_few', 'merge_none', 'merge_all', 'unmerge_few', 'unmerge_none', 'unmerge_all'],
  ...['scale_channels', 'scale_channels_map', 'mean_map', 'low_frequencies', 'low_frequencies_small'],
]);

const lowered = ({ graph, inputs }: (typeof cases)[number]) => lowerForInputs(graph, inputs);

describe('a lowered operation, run by plain loops, is torch’s', () => {
  it.each(cases.filter(({ name }) => !elsewhere.has(name)))('$name', (given) => {
    const { out } = interpret(lowered(given), given.inputs);
    expect(out!.shape).toEqual(given.expected.shape);
    expect(relativeError(out!.data, given.expected.data)).toBeLessThan(2e-6);
  });
});

describe('an operation without a kernel is refused', () => {
  it.each(cases.filter(({ name }) => elsewhere.has(name)))('$name', (given) => {
    expect(() => lowered(given)).toThrow(UnsupportedOperation);
  });
});
