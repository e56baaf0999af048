import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { operationCases, relativeError } from '../fixtures.js';

const fixtures = fileURLToPath(new URL('../../fixtures/compute/ops.safetensors', import.meta.url));

describe('operations agree with torch', () => {
  const backend = createOnnxBackend({ threads: 2 });
  it.each(operationCases(fixtures))('$name', async ({ graph, inputs, expected }) => {
    const program = await backend.load(graph);
    const { out } = await program.run(inputs);
    await program.dispose();
    expect(out?.shape).toEqual(expected.shape);
    expect(relativeError(out!.data, expected.data)).toBeLessThan(1e-6);
  });
});
