import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import {
  upscaleImage,
  upscaleLatent,
  type CropMethod,
  type ImageUpscaleMethod,
  type LatentUpscaleMethod,
} from '../../src/imaging/upscale.js';
import { maxDifference } from '../support/golden.js';
import { referenceCases } from '../support/reference-cases.js';

interface Resampling {
  readonly kind: 'latent' | 'image';
  readonly source: string;
  readonly method: string;
  readonly width: number;
  readonly height: number;
  readonly crop: CropMethod;
  readonly expected: string;
}

const { cases, tensor: golden } = referenceCases<Resampling>('imaging/resampling.safetensors');

/** Largest difference allowed: none where values are picked, averaged or 8-bit, rounding of float32 of sums elsewhere. */
const TOLERANCE: Readonly<Record<string, number>> = {
  'nearest-exact': 0,
  lanczos: 0,
  area: 0,
  bilinear: 1e-6,
  bicubic: 2e-6,
  bislerp: 2e-6,
};

function upscaled(entry: Resampling) {
  const source = golden(entry.source);
  return entry.kind === 'latent'
    ? upscaleLatent(source, entry.method as LatentUpscaleMethod, entry)
    : upscaleImage(source, entry.method as ImageUpscaleMethod, entry);
}

describe('resampling as ComfyUI does it', () => {
  it.each(Object.entries(TOLERANCE))('%s differs by at most %f', (method, tolerance) => {
    const differences = cases
      .filter((entry) => entry.method === method)
      .map((entry) => ({ ...entry, difference: maxDifference(upscaled(entry), golden(entry.expected)) }));
    expect(differences).not.toEqual([]);
    expect(differences.filter(({ difference }) => !(difference <= tolerance))).toEqual([]);
  });

  it('refuses targets and sources without pixels', () => {
    const image = tensor([1, 1, 40, 3]);
    expect(() => upscaleImage(image, 'bilinear', { width: 0, height: 4 })).toThrow(/can't resize to 0×4/);
    expect(() => upscaleImage(image, 'area', { width: 5, height: 70, crop: 'center' })).toThrow(RangeError);
    expect(() => upscaleImage(tensor([2, 2, 2]), 'area', { width: 5, height: 7 })).toThrow(/four axes/);
  });
});
