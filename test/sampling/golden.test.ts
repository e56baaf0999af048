import { beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import type { Conditioning } from '../../src/models/denoiser/conditioning.js';
import { applyLora } from '../../src/models/lora/apply-lora.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import type { RunContext } from '../../src/nodes/context.js';
import { vaeEncodeForInpaint } from '../../src/nodes/latent/inpainting.js';
import { sample, type KSamplerOptions } from '../../src/sampling/k-sampler.js';
import { fixture, goldenTensors, relativeRms } from '../support/golden.js';
import { tinyModels } from '../support/tiny-models.js';

const prompts = {
  positive: 'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels',
  negative: 'blurry, low quality',
};

describe.each(['sd15', 'sdxl'] as const)('the golden latents of %s', (family) => {
  const { model, clip, vae } = tinyModels(family);
  const golden = goldenTensors(`golden/${family}-tiny.golden.safetensors`);
  let positive: Conditioning;
  let negative: Conditioning;
  beforeAll(async () => {
    positive = [await clip.encode(prompts.positive)];
    negative = [await clip.encode(prompts.negative)];
  });

  type Varied = Pick<KSamplerOptions, 'samplerName' | 'scheduler' | 'steps' | 'cfg'> &
    Partial<KSamplerOptions>;
  const run = async (options: Varied) => {
    const latent = tensor([1, 4, 8, 16]);
    // The golden data is ComfyUI 0.3.64's.
    const samplerNoise = { noise: 'cpu-0.3.64' } as const;
    const { samples } = await sample({
      model,
      positive,
      negative,
      seed: 42n,
      latent,
      samplerNoise,
      ...options,
    });
    return samples;
  };

  it.each([
    ['euler', 'normal', 6, 7],
    ['euler', 'simple', 4, 1],
    ['euler_ancestral', 'karras', 6, 8],
    ['dpmpp_2m', 'karras', 8, 5],
  ] as const)('are met: %s, %s, %i steps, cfg %i', async (samplerName, scheduler, steps, cfg) => {
    const samples = await run({ samplerName, scheduler, steps, cfg });
    const name = `ksampler.${samplerName}.${scheduler}.${steps}.cfg${cfg.toFixed(1)}`;
    expect(relativeRms(samples, golden(name))).toBeLessThan(2e-5);
  });

  it('are met: a batch of two', async () => {
    const samples = await run({
      samplerName: 'euler',
      scheduler: 'normal',
      steps: 4,
      cfg: 7,
      seed: 123456789n,
      latent: tensor([2, 4, 8, 8]),
    });
    expect(relativeRms(samples, golden('ksampler.batch2.euler.normal.4.cfg7.0'))).toBeLessThan(2e-5);
  });

  const fromPicture = { samplerName: 'euler', scheduler: 'normal', steps: 8, cfg: 7, seed: 9n } as const;

  it('are met: image to image', async () => {
    const latent = await vae.encode(golden('vae.image'));
    const samples = await run({ ...fromPicture, latent, denoise: 0.6 });
    expect(relativeRms(samples, golden('img2img.euler.normal.8.denoise0.6'))).toBeLessThan(2e-5);
  });

  it('are met: inpainting by a noise mask', async () => {
    const latent = await vae.encode(golden('vae.image'));
    const samples = await run({ ...fromPicture, latent, denoise: 0.7, noiseMask: golden('inpaint.mask') });
    expect(relativeRms(samples, golden('inpaint.setmask.euler.normal.8.denoise0.7'))).toBeLessThan(2e-5);
  });

  it('are met: inpainting of a picture encoded without the masked part', async () => {
    const inputs = { pixels: golden('vae.image'), mask: golden('inpaint.mask'), vae, grow_mask_by: 6 };
    const result = await vaeEncodeForInpaint.run(inputs, {} as RunContext);
    const [{ samples: latent, noiseMask }] = result.outputs;
    const samples = await run({ ...fromPicture, latent, noiseMask });
    expect(relativeRms(samples, golden('inpaint.vaeencode.euler.normal.8'))).toBeLessThan(2e-5);
  });

  it('are met: with a LoRA', async () => {
    const weights = safetensorsWeights(openSafetensors(fixture(`golden/${family}-tiny-lora.safetensors`)));
    const lora = applyLora('tiny', weights, { model, clip }, { model: 0.8, clip: 0.6 });
    const samples = await run({
      samplerName: 'euler',
      scheduler: 'normal',
      steps: 6,
      cfg: 7,
      model: lora.model,
      positive: [await lora.clip.encode(prompts.positive)],
      negative: [await lora.clip.encode(prompts.negative)],
    });
    expect(relativeRms(samples, golden('lora.ksampler.euler.normal.6.cfg7.0'))).toBeLessThan(2e-5);
  });
});
