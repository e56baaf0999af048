import { describe, expect, it } from 'vitest';
import { lowerForInputs } from '../../../src/compute/cuda/lower.js';
import { UnsupportedOperation } from '../../../src/compute/unsupported.js';
import { operationCases, relativeError } from '../fixtures.js';
import { CUDA_CASES } from './cases.js';
import { interpret } from './interpreter/interpret.js';

const cases = operationCases('test/fixtures/compute/ops.safetensors');

const lowered = ({ graph, inputs }: (typeof cases)[number]) => lowerForInputs(graph, inputs);

describe('a lowered operation, run by plain loops, is torch’s', () => {
  it.each(cases.filter(({ name }) => CUDA_CASES.has(name)))('$name', (given) => {
    const { out } = interpret(lowered(given), given.inputs);
    expect(out!.shape).toEqual(given.expected.shape);
    expect(relativeError(out!.data, given.expected.data)).toBeLessThan(2e-6);
  });
});

describe('an operation without a kernel is refused', () => {
  it.each(cases.filter(({ name }) => !CUDA_CASES.has(name)))('$name', (given) => {
    expect(() => lowered(given)).toThrow(UnsupportedOperation);
  });
});
