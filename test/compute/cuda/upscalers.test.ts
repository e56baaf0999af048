import { describe, expect, it } from 'vitest';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { openModelFile } from '../../../src/models/files/model-file.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { createUpscaler } from '../../../src/models/upscale/upscaler.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { goldenTensors, relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { channelsLast } from '../../support/pictures.js';
import { interpretingBackend } from './interpreter/backend.js';

const addon = emulatedCudaAddon();
const backends = {
  interpreter: interpretingBackend(),
  card: createCudaBackend({ addon, device: new addon.CudaDevice(0) }),
};
const golden = goldenTensors('upscale/golden.safetensors');

describe('upscalers whose operations all have kernels: spandrel’s numbers', () => {
  it.each([
    ['compact-x4', 'interpreter', 2e-5],
    ['compact-x4', 'card', 5e-3],
    ['esrgan-plus-x4', 'interpreter', 2e-5],
    ['esrgan-x2-shuffle', 'interpreter', 2e-5],
    ['esrgan-x2-shuffle', 'card', 5e-3],
  ] as const)('%s, %s', { timeout: 120_000 }, async (name, where, tolerance) => {
    const weights = safetensorsWeights(openModelFile(syntheticCheckpoint(`upscale/${name}`)));
    const upscaler = createUpscaler(weights, createProgramCache(backends[where]));
    const actual = await upscaler.upscale(channelsLast(golden(`${name}.in`)));
    expect(relativeRms(actual, channelsLast(golden(`${name}.out`)))).toBeLessThan(tolerance);
  });
});
