import { describe, expect, it } from 'vitest';
import { fromModelSpace, toModelSpace } from '../../../src/models/denoiser/latent-format.js';
import { playgroundLatent, sdLatent, sdxlLatent } from '../../../src/models/denoiser/latent-formats.js';
import { goldenTensors } from '../../support/golden.js';

describe('latents to and from what the UNet sees', () => {
  const golden = goldenTensors('diffusion/latent-formats.golden.safetensors');

  it.each([
    ['sd', sdLatent],
    ['sdxl', sdxlLatent],
    ['playground', playgroundLatent],
  ] as const)('are ComfyUI’s to the bit, for %s', (name, format) => {
    expect(toModelSpace(format, golden('latent'))).toEqual(golden(`${name}.in`));
    expect(fromModelSpace(format, golden('latent'))).toEqual(golden(`${name}.out`));
  });
});
