import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import type { ConditioningEntry, PromptRole } from '../../../src/models/denoiser/conditioning.js';
import { sdxlLatent } from '../../../src/models/denoiser/latent-formats.js';
import {
  sizeEmbedding,
  type SizeEmbeddingOptions,
} from '../../../src/models/denoiser-inputs/size-embedding.js';
import { goldenTensors, relativeRms } from '../../support/golden.js';

function prepare(
  options: SizeEmbeddingOptions,
  entry: ConditioningEntry,
  role: PromptRole,
  height: number,
  width: number,
): Tensor {
  const context = { role, latent: tensor([1, 4, height, width]), latentFormat: sdxlLatent, seed: 0n };
  const prepared = sizeEmbedding(options).prepare(entry, context);
  if (prepared === undefined || !('shape' in prepared)) throw new Error('one tensor was expected');
  return prepared;
}

const sdxl = { family: 'sdxl', width: 192 + 6 * 256, last: 'target size' } as const;

function firstRow({ shape, data }: Tensor): Tensor {
  return { shape: [1, ...shape.slice(1)], data: data.subarray(0, data.length / shape[0]!) };
}

describe('the label input of SDXL', () => {
  it('is the pooled text and the sizes', () => {
    const golden = goldenTensors('golden/sdxl-tiny.golden.safetensors');
    const entry = { cond: golden('clip.0.cond'), pooled: golden('clip.0.pooled') };
    const embedding = prepare(sdxl, entry, 'positive', 8, 16);
    expect(relativeRms(embedding, firstRow(golden('unet.adm')))).toBeLessThan(3e-6);
  });

  it('needs a pooled text of the right width', () => {
    const cond = goldenTensors('golden/sdxl-tiny.golden.safetensors')('clip.0.cond');
    expect(() => prepare(sdxl, { cond }, 'negative', 8, 8)).toThrow(/the negative conditioning has none/);
    const pooled = tensor([1, 128]);
    expect(() => prepare(sdxl, { cond, pooled }, 'positive', 8, 8)).toThrow(
      /takes a pooled text of width 192, the positive conditioning's has 128/,
    );
  });
});

describe('the label input of SDXL’s refiner', () => {
  const golden = goldenTensors('sampling/cases.safetensors');
  const refiner = { family: 'sdxl_refiner', width: 192 + 5 * 256, last: 'aesthetic score' } as const;
  const pooled = golden('adm.pooled');
  const entry: ConditioningEntry = { cond: pooled, pooled };

  it.each(['positive', 'negative'] as const)('has an aesthetic score by the prompt’s role: %s', (role) => {
    const embedding = prepare(refiner, entry, role, 8, 12);
    expect(relativeRms(embedding, golden(`adm.${role}`))).toBeLessThan(3e-6);
  });

  it('takes sizes and score from the entry', () => {
    const sizes = { aestheticScore: 4.25, width: 900, height: 700, cropWidth: 4, cropHeight: 12 };
    const embedding = prepare(refiner, { ...entry, ...sizes }, 'positive', 8, 12);
    expect(relativeRms(embedding, golden('adm.positive.sizes'))).toBeLessThan(3e-6);
  });
});
