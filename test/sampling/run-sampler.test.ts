import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import { sample, type KSamplerOptions } from '../../src/sampling/k-sampler.js';
import { prepareNoise } from '../../src/sampling/noise.js';
import type { SampledStep } from '../../src/sampling/run-sampler.js';
import { tinyModels } from '../support/tiny-models.js';

const { model, clip } = tinyModels('sd15');
const conditioning = [await clip.encode('a castle')];

const settings: KSamplerOptions = {
  model,
  positive: conditioning,
  negative: conditioning,
  cfg: 3,
  samplerName: 'euler',
  scheduler: 'normal',
  steps: 4,
  seed: 1n,
  latent: tensor([1, 4, 8, 8]),
};

describe('a run', () => {
  it('reports every step with its prediction and lets others have a turn between them', async () => {
    const steps: SampledStep[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await sample({ ...settings, samplerName: 'heun', progress: (step) => steps.push(step) });
    clearInterval(timer);
    expect(steps.map(({ step, totalSteps }) => [step, totalSteps])).toEqual(
      [1, 2, 3, 4].map((step) => [step, 4]),
    );
    expect(steps.every(({ denoised }) => denoised.data.some((value) => value !== 0))).toBe(true);
    expect(turns).toBeGreaterThan(2);
  });

  it('stops within one step when it is cancelled', async () => {
    const controller = new AbortController();
    const steps: number[] = [];
    const running = sample({
      ...settings,
      signal: controller.signal,
      progress({ step }) {
        steps.push(step);
        if (step === 2) controller.abort(new Error('cancelled by the user'));
      },
    });
    await expect(running).rejects.toThrow('cancelled by the user');
    expect(steps).toEqual([1, 2]);
  });

  it('gives an empty latent the model’s channels and refuses others', async () => {
    const { samples } = await sample({ ...settings, latent: tensor([1, 16, 8, 8]), steps: 1 });
    expect(samples.shape).toEqual([1, 4, 8, 8]);
    const latent = tensor([1, 16, 8, 8], new Float32Array(1024).fill(1));
    await expect(sample({ ...settings, latent })).rejects.toThrow(/samples latents of 4 channels/);
  });

  it('names the nearest samplers and schedulers', async () => {
    await expect(sample({ ...settings, samplerName: 'eular' })).rejects.toThrow(/nearest: "euler"/);
    await expect(sample({ ...settings, scheduler: 'karas' })).rejects.toThrow(/nearest: "karras"/);
  });
});

describe('noise by batch indices', () => {
  it('is that of the same rows of a larger batch', () => {
    const whole = prepareNoise([4, 4, 8, 8], 7n, [0, 1, 2, 3]);
    const part = prepareNoise([2, 4, 8, 8], 7n, [3, 1]);
    expect(part.data.subarray(0, 256)).toEqual(whole.data.subarray(3 * 256));
    expect(part.data.subarray(256)).toEqual(whole.data.subarray(256, 512));
    expect(() => prepareNoise([2, 4, 8, 8], 7n, [0])).toThrow('2 rows and 1 batch indices');
  });
});
