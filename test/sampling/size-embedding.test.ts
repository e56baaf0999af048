import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/compute/tensor.js';
import type { ConditioningEntry } from '../../src/models/conditioning.js';
import type { DiffusionModel } from '../../src/models/diffusion-model.js';
import { sizeEmbedding } from '../../src/sampling/size-embedding.js';
import { goldenTensors, relativeRms } from '../support/golden.js';
import { tinyModels } from '../support/tiny-models.js';

const { model } = tinyModels('sdxl');

function firstRow({ shape, data }: Tensor): Tensor {
  return { shape: [1, ...shape.slice(1)], data: data.subarray(0, data.length / shape[0]!) };
}

describe('the label input of SDXL', () => {
  it('is the pooled text and the sizes', () => {
    const golden = goldenTensors('golden/sdxl-tiny.golden.safetensors');
    const entry = { cond: golden('clip.0.cond'), pooled: golden('clip.0.pooled') };
    const embedding = sizeEmbedding(model, entry, 'positive', 8, 16)!;
    expect(relativeRms(embedding, firstRow(golden('unet.adm')))).toBeLessThan(3e-6);
  });

  it('needs a pooled text of the right width', () => {
    const cond = goldenTensors('golden/sdxl-tiny.golden.safetensors')('clip.0.cond');
    expect(() => sizeEmbedding(model, { cond }, 'negative', 8, 8)).toThrow(
      /the negative conditioning has none/,
    );
    const pooled = { shape: [1, 128], data: new Float32Array(128) };
    expect(() => sizeEmbedding(model, { cond, pooled }, 'positive', 8, 8)).toThrow(
      /takes a pooled text of width 192, the positive conditioning's has 128/,
    );
  });

  it('is absent for models without one', () => {
    const cond = goldenTensors('golden/sd15-tiny.golden.safetensors')('clip.0.cond');
    expect(sizeEmbedding(tinyModels('sd15').model, { cond }, 'positive', 8, 8)).toBeUndefined();
  });
});

describe('the label input of SDXL’s refiner', () => {
  const golden = goldenTensors('sampling/cases.safetensors');
  const refiner: DiffusionModel = {
    ...model,
    family: 'sdxl_refiner',
    unet: { ...model.unet, admChannels: 192 + 1280 },
  };
  const pooled = golden('adm.pooled');
  const entry: ConditioningEntry = { cond: pooled, pooled };

  it.each(['positive', 'negative'] as const)('has an aesthetic score by the prompt’s role: %s', (role) => {
    const embedding = sizeEmbedding(refiner, entry, role, 8, 12)!;
    expect(relativeRms(embedding, golden(`adm.${role}`))).toBeLessThan(3e-6);
  });

  it('takes sizes and score from the entry', () => {
    const sizes = { aestheticScore: 4.25, width: 900, height: 700, cropWidth: 4, cropHeight: 12 };
    const embedding = sizeEmbedding(refiner, { ...entry, ...sizes }, 'positive', 8, 12)!;
    expect(relativeRms(embedding, golden('adm.positive.sizes'))).toBeLessThan(3e-6);
  });
});
