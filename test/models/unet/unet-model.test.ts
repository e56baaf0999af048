import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { openSafetensors } from '../../../src/models/safetensors.js';
import { safetensorsWeights } from '../../../src/models/safetensors-weights.js';
import { createProgramCache } from '../../../src/models/program-cache.js';
import { discreteSampling } from '../../../src/models/model-sampling.js';
import { underPrefix } from '../../../src/models/weight-views.js';
import { detectUnet } from '../../../src/models/unet/detect.js';
import { createUnetModel } from '../../../src/models/unet/unet-model.js';
import { goldenTensors, relativeRms, tinyCheckpoint } from '../../support/golden.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

describe.each(['sd15', 'sdxl'] as const)('the UNet of %s', (name) => {
  it('denoises as ComfyUI’s', async () => {
    const golden = goldenTensors(`golden/${name}-tiny.golden.safetensors`);
    const weights = underPrefix(
      safetensorsWeights(openSafetensors(tinyCheckpoint(name))),
      'model.diffusion_model.',
    );
    const model = createUnetModel(
      {
        family: name === 'sd15' ? 'sd1' : 'sdxl',
        unet: detectUnet(weights)!,
        weights,
        latentFormat: { channels: 4, downscale: 8, scaleFactor: 1, rgbFactors: [] },
        sampling: discreteSampling('epsilon'),
      },
      programs,
    );
    const x = golden('unet.x');
    const sigmas = golden('unet.sigma').data;
    const size = x.data.length / sigmas.length;
    const scaled = tensor(
      x.shape,
      x.data.map((value, index) => value / Math.sqrt(sigmas[Math.floor(index / size)]! ** 2 + 1)),
    );
    const epsilon: Tensor = await model.predict({
      x: scaled,
      timesteps: golden('unet.timestep').data,
      context: golden('unet.context'),
      ...(name === 'sdxl' ? { adm: golden('unet.adm') } : {}),
    });
    const denoised = tensor(
      x.shape,
      x.data.map((value, index) => value - epsilon.data[index]! * sigmas[Math.floor(index / size)]!),
    );
    expect(relativeRms(denoised, golden('unet.denoised'))).toBeLessThan(2e-5);
  });
});
