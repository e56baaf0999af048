import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../../../src/compute/onnx/plain/backend.js';
import { operationCases, relativeError } from '../fixtures.js';

const fixtures = fileURLToPath(new URL('../../fixtures/compute/ops.safetensors', import.meta.url));

const backends = [
  { name: 'our kernels', backend: createOnnxBackend({ threads: 2 }) },
  { name: 'ONNX Runtime alone', backend: createPlainOnnxBackend({ threads: 2 }) },
];

describe.each(backends)('operations agree with torch, $name', ({ backend }) => {
  it.each(operationCases(fixtures))('$name', async ({ graph, inputs, expected }) => {
    const program = await backend.load(graph);
    const { out } = await program.run(inputs);
    await program.dispose();
    expect(out?.shape).toEqual(expected.shape);
    expect(relativeError(out!.data, expected.data)).toBeLessThan(1e-6);
  });
});
