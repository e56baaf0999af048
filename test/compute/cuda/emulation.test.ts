import { describe, expect, it } from 'vitest';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { relativeRms } from '../../support/golden.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { tinyNetworks } from '../../support/tiny-goldens.js';
import { operationCases, relativeError } from '../fixtures.js';
import { CUDA_CASES } from './cases.js';

const addon = emulatedCudaAddon();
const backend = createCudaBackend({ addon, device: new addon.CudaDevice(0) });

describe('the kernels, on the emulated card', () => {
  const cases = operationCases('test/fixtures/compute/ops.safetensors');

  it.each(cases.filter(({ name }) => CUDA_CASES.has(name)))('$name', async ({ graph, inputs, expected }) => {
    const program = await backend.load(graph);
    const { out } = await program.run(inputs);
    await program.dispose();
    expect(out!.shape).toEqual(expected.shape);
    expect(relativeError(out!.data, expected.data)).toBeLessThan(2e-3);
  });
});

describe.each(['sd15', 'sdxl'] as const)('the tiny networks of %s, on the emulated card', (family) => {
  const networks = tinyNetworks(family, backend);

  it.each([
    ['denoiser', 2e-3],
    ['text encoder', 2e-3],
    ['pooled text', 2e-3],
    // In bfloat16.
    ['encoder', 2e-2],
    ['decoder', 1e-2],
  ] as const)('%s: ComfyUI’s numbers', { timeout: 300_000 }, async (name, tolerance) => {
    const { actual, expected } = await networks[name]();
    expect(relativeRms(actual, expected)).toBeLessThan(tolerance);
  });
});
