import { beforeAll, describe, expect, it } from 'vitest';
import { tensor as zeros } from '../../src/compute/tensor.js';
import type { Conditioning } from '../../src/models/denoiser/conditioning.js';
import type { DiffusionModel } from '../../src/models/denoiser/diffusion-model.js';
import { discreteSampling } from '../../src/models/denoiser/model-sampling.js';
import { basicGuider, cfgGuider } from '../../src/sampling/cfg-guider.js';
import { dualCfgGuider, type DualCfg } from '../../src/sampling/dual-cfg-guider.js';
import type { Guider } from '../../src/sampling/guider.js';
import { prepareNoise } from '../../src/sampling/noise.js';
import { perpNegGuidance, perpNegGuider } from '../../src/sampling/perp-neg.js';
import { rescaleCfg } from '../../src/sampling/guidance-methods/rescale-cfg.js';
import { runSampler } from '../../src/sampling/run-sampler.js';
import { relativeRms } from '../support/golden.js';
import { referenceCases } from '../support/reference-cases.js';
import { tinyModels } from '../support/tiny-models.js';

/** As tools/reference/guiders.py writes them. */
type GuiderCase = {
  readonly name: string;
  readonly sampler: string;
  readonly rows: number;
  readonly hook: readonly ['rescale' | 'perp neg', number] | null;
  readonly prediction: 'epsilon' | 'v_prediction';
  readonly expected: string;
} & (
  | { readonly kind: 'basic' }
  | { readonly kind: 'cfg'; readonly options: { readonly cfg: number } }
  | { readonly kind: 'dual'; readonly options: DualCfg }
  | { readonly kind: 'perp neg'; readonly options: { readonly cfg: number; readonly negativeScale: number } }
);

const { cases, tensor } = referenceCases<GuiderCase>('sampling/guiders.safetensors');
const { model, clip } = tinyModels('sd15');

describe('guiders', () => {
  let castle: Conditioning;
  let forest: Conditioning;
  let blurry: Conditioning;
  let empty: Conditioning;
  beforeAll(async () => {
    const encode = async (text: string) => [await clip.encode(text)];
    castle = await encode('a castle on a hill, pixel art');
    forest = await encode('(dark forest:1.3), mist');
    blurry = await encode('blurry, low quality');
    empty = await encode('');
  });

  function modelOf({ hook, prediction }: GuiderCase): DiffusionModel {
    const sampling = discreteSampling(prediction);
    const base = model.withSampling(sampling);
    if (hook === null) return base;
    const [kind, value] = hook;
    const combine = kind === 'rescale' ? rescaleCfg(value) : perpNegGuidance(empty, value);
    return base.withGuidance({ identity: hook.join(' '), combine });
  }

  function guiderOf(item: GuiderCase): Guider {
    const own = modelOf(item);
    switch (item.kind) {
      case 'basic':
        return basicGuider(own, castle);
      case 'cfg':
        return cfgGuider(own, { positive: castle, negative: blurry }, item.options.cfg);
      case 'dual':
        return dualCfgGuider(own, { positive: castle, middle: forest, negative: blurry }, item.options);
      case 'perp neg':
        return perpNegGuider(own, { positive: castle, negative: blurry, empty }, item.options);
    }
  }

  it.each(cases.map((item) => [item.name, item] as const))('guide as ComfyUI’s: %s', async (_, item) => {
    const latent = zeros([item.rows, 4, 8, 12]);
    const { samples, denoised } = await runSampler({
      guider: guiderOf(item),
      sampler: { name: item.sampler },
      sigmas: tensor(`${item.expected}.sigmas`).data,
      latent,
      noise: prepareNoise(latent.shape, 5n),
      seed: 5n,
    });
    expect(relativeRms(samples, tensor(`${item.expected}.samples`))).toBeLessThan(2e-5);
    expect(relativeRms(denoised, tensor(`${item.expected}.denoised`))).toBeLessThan(2e-5);
  });

  it('leave the negative prompt whole where the positive one is like the empty one (PerpNeg)', async () => {
    const shape = [1, 4, 1, 1];
    const cond = zeros(shape, Float32Array.of(1, 2, 3, 4));
    const uncond = zeros(shape, Float32Array.of(2, 2, 2, 2));
    const combine = perpNegGuidance(empty, 0.5);
    const denoised = await combine({
      x: zeros(shape),
      sigma: 1,
      cfg: 4,
      cond,
      uncond,
      hasUncond: true,
      sampling: model.sampling,
      evaluate: () => Promise.resolve(cond),
    });
    expect([...denoised.data]).toEqual([-1, 2, 5, 8]);
  });
});
