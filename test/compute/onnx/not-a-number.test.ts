import { describe } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../../../src/compute/onnx/plain/backend.js';
import { hasFastBf16 } from '../../../src/native/addon.js';
import { operationCases } from '../fixtures.js';
import { keepsInfinityInAttention, keepsNaN } from '../not-a-number.js';

const cases = operationCases('test/fixtures/compute/ops.safetensors');

const backends = [
  ...(['avx512', 'avx2', 'portable'] as const).map(
    (kernels) => [kernels, createOnnxBackend({ kernels, threads: 1 })] as const,
  ),
  ...(['portable', ...(hasFastBf16() ? (['avx512'] as const) : [])] as const).map(
    (kernels) =>
      [`${kernels} in bf16`, createOnnxBackend({ kernels, threads: 1, precision: 'bf16' })] as const,
  ),
  ['ONNX’s own operators', createPlainOnnxBackend({ threads: 1 })] as const,
];

describe.each(backends)('NaN stays in %s', (_, backend) => {
  keepsNaN(cases, backend);
  keepsInfinityInAttention(backend);
});
