import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { createProgramCache } from '../../../src/models/program-cache.js';
import { openSafetensors } from '../../../src/models/safetensors.js';
import { safetensorsWeights } from '../../../src/models/safetensors-weights.js';
import { underPrefix } from '../../../src/models/weight-views.js';
import { createAutoencoder, type AutoencoderOptions } from '../../../src/models/vae/autoencoder.js';
import { goldenTensors, maxDifference, relativeRms, tinyCheckpoint } from '../../support/golden.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

function autoencoder(family: 'sd15' | 'sdxl', options: AutoencoderOptions = {}) {
  const weights = safetensorsWeights(openSafetensors(tinyCheckpoint(family)));
  return createAutoencoder(underPrefix(weights, 'first_stage_model.'), programs, options);
}

describe.each(['sd15', 'sdxl'] as const)('the autoencoder of %s', (family) => {
  const golden = goldenTensors(`golden/${family}-tiny.golden.safetensors`);

  it('has SD’s layout', () => {
    expect(autoencoder(family)).toMatchObject({ downscale: 8, latentChannels: 4 });
  });

  it('decodes as ComfyUI’s', async () => {
    const image = await autoencoder(family).decode(golden('vae.z'));
    expect(relativeRms(image, golden('vae.decoded'))).toBeLessThan(2e-5);
    expect(maxDifference(image, golden('vae.decoded'))).toBeLessThan(1 / 255);
  });

  it('encodes as ComfyUI’s', async () => {
    const latent = await autoencoder(family).encode(golden('vae.image'));
    expect(relativeRms(latent, golden('vae.encoded'))).toBeLessThan(2e-5);
  });
});
