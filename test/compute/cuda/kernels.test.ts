import { describe, expect, it } from 'vitest';
import { kernelCases } from '../../../bench/cuda/kernel-cases.js';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { relativeRms } from '../../support/golden.js';

const addon = emulatedCudaAddon();
const device = new addon.CudaDevice(0);
const backend = createCudaBackend({ addon, device });

describe('every kernel agrees with its plain twin, on the emulated card', () => {
  it.each(kernelCases(1))('$name', { timeout: 60_000 }, async ({ graph, inputs }) => {
    const program = await backend.load(graph);
    device.force('plain');
    const { y: plain } = await program.run(inputs);
    for (const kernels of ['measured', 0, 2, 3] as const) {
      device.force(kernels);
      const { y } = await program.run(inputs);
      expect(relativeRms(y!, plain!)).toBeLessThan(graph.range === 'wide' ? 8e-3 : 1e-3);
    }
    await program.dispose();
  });

  it('and tiles that the card has no room for are refused', () => {
    expect(() => {
      device.force(1);
    }).toThrow(RangeError);
  });
});
