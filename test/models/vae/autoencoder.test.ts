import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import { ModelError } from '../../../src/models/model-error.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { createAutoencoder } from '../../../src/models/vae/autoencoder.js';
import type { AutoencoderOptions } from '../../../src/models/vae/whole-or-tiled.js';
import { underPrefix } from '../../../src/models/weights/weight-views.js';
import { fixture, goldenTensors, maxDifference, relativeRms, tinyCheckpoint } from '../../support/golden.js';
import { readTensors, writeSafetensors } from '../../support/models.js';

let folder: string;
const programs = createProgramCache(createOnnxBackend());
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-vae-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await programs.dispose();
});

function autoencoder(family: 'sd15' | 'sdxl', options: AutoencoderOptions = {}) {
  const weights = safetensorsWeights(openSafetensors(tinyCheckpoint(family)));
  return createAutoencoder(underPrefix(weights, 'first_stage_model.'), programs, options);
}

const odd = goldenTensors('diffusion/vae.golden.safetensors');

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

describe('batches and sizes', () => {
  it('decodes every image of a batch', async () => {
    const images = await autoencoder('sd15').decode(odd('latent'));
    expect(images.shape).toEqual([2, 96, 72, 3]);
    // The fixture is kept in float16.
    expect(maxDifference(images, odd('decoded'))).toBeLessThan(5e-4);
  });

  it('crops images around their centre to multiples of 8', async () => {
    const latent = await autoencoder('sd15').encode(odd('image'));
    expect(latent.shape).toEqual([1, 4, 9, 13]);
    expect(relativeRms(latent, odd('encoded'))).toBeLessThan(2e-5);
  });

  it('leaves out a fourth channel', async () => {
    const { shape, data } = odd('image');
    const [, height = 0, width = 0] = shape;
    const opaque = tensor([1, height, width, 4]);
    opaque.data.forEach((_, index) => {
      opaque.data[index] = index % 4 === 3 ? 1 : data[Math.floor(index / 4) * 3 + (index % 4)]!;
    });
    expect(await autoencoder('sd15').encode(opaque)).toEqual(await autoencoder('sd15').encode(odd('image')));
  });

  it('refuses what is too small, or no latent of this model', async () => {
    await expect(autoencoder('sd15').encode(tensor([1, 7, 64, 3]))).rejects.toThrow(
      /image of 64×7 pixels and 3 channels can't be encoded/,
    );
    await expect(autoencoder('sd15').decode(tensor([1, 16, 8, 8]))).rejects.toThrow(
      /shape \[N, 4, h, w\], got \[1, 16, 8, 8\]/,
    );
  });
});

describe('tiles', () => {
  const tiles = { tileSize: 64, overlap: 16 };

  it('are blended as ComfyUI’s', async () => {
    const [first] = [tensor([1, 4, 12, 9], odd('latent').data.slice(0, 4 * 12 * 9))];
    const image = await autoencoder('sd15').decode(first, tiles);
    expect(relativeRms(image, odd('decoded.tiled'))).toBeLessThan(2e-5);
    expect(maxDifference(image, odd('decoded.tiled'))).toBeLessThan(1 / 255);
    const latent = await autoencoder('sd15').encode(odd('image'), tiles);
    expect(relativeRms(latent, odd('encoded.tiled'))).toBeLessThan(2e-5);
  });

  it('overlap by a quarter at most when decoding, as VAEDecodeTiled has it', async () => {
    const latent = odd('latent');
    const clamped = await autoencoder('sd15').decode(latent, { tileSize: 64, overlap: 4096 });
    expect(clamped).toEqual(await autoencoder('sd15').decode(latent, tiles));
  });

  it('that never get on are refused', async () => {
    const image = tensor([1, 128, 128, 3]);
    await expect(autoencoder('sd15').encode(image, { tileSize: 64, overlap: 64 })).rejects.toThrow(
      /tiles of 64 with an overlap of 64/,
    );
  });

  it('are used by itself when memory is short, with a reason', async () => {
    const told: string[] = [];
    const short = autoencoder('sd15', { memoryLimit: 1e6, notify: (message) => told.push(message) });
    const image = await short.decode(odd('latent'));
    expect(told[0]).toMatch(
      /VAE decoding in tiles: the whole image would take about \d+\.\d GB, 0\.0 GB are free/,
    );
    // All of it fits into one of the tiles that are used then.
    const whole = await autoencoder('sd15').decode(odd('latent'));
    expect(maxDifference(image, whole)).toBeLessThan(1e-6);
    expect(told).toHaveLength(2);
  });
});

describe('layouts', () => {
  it('takes diffusers’ keys', async () => {
    const keys = JSON.parse(readFileSync(fixture('diffusion/diffusers-vae-keys.json'), 'utf8')) as Record<
      string,
      string
    >;
    const tensors = readTensors(tinyCheckpoint('sd15'));
    const renamed = Object.entries(keys).map(([theirs, own]) => {
      const { shape, ...rest } = tensors[`first_stage_model.${own}`]!;
      const linear = theirs.includes('.attentions.') && shape.length === 4;
      return [theirs, { ...rest, shape: linear ? shape.slice(0, 2) : shape }] as const;
    });
    const path = join(folder, 'diffusers.safetensors');
    writeSafetensors(path, Object.fromEntries(renamed));
    const vae = createAutoencoder(safetensorsWeights(openSafetensors(path)), programs);
    expect(await vae.decode(odd('latent'))).toEqual(await autoencoder('sd15').decode(odd('latent')));
    expect(await vae.encode(odd('image'))).toEqual(await autoencoder('sd15').encode(odd('image')));
  });

  it('names the key that a damaged file lacks, when it is needed', async () => {
    const tensors = readTensors(tinyCheckpoint('sd15'));
    const path = join(folder, 'decoder-only.safetensors');
    const prefix = 'first_stage_model.';
    writeSafetensors(
      path,
      Object.fromEntries(
        Object.entries(tensors).flatMap(([key, value]) =>
          key.startsWith(prefix) && !key.includes('.encoder.')
            ? [[key.slice(prefix.length), value] as const]
            : [],
        ),
      ),
    );
    const vae = createAutoencoder(safetensorsWeights(openSafetensors(path)), programs);
    expect((await vae.decode(odd('latent'))).shape).toEqual([2, 96, 72, 3]);
    const encoded = vae.encode(odd('image'));
    await expect(encoded).rejects.toThrow(ModelError);
    await expect(encoded).rejects.toThrow(/decoder-only\.safetensors has no tensor encoder\.conv_in\.weight/);
  });

  it('says what other autoencoders are', () => {
    const path = join(folder, 'stage-a.safetensors');
    const value = { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
    writeSafetensors(path, { 'vquantizer.codebook.weight': value });
    expect(() => createAutoencoder(safetensorsWeights(openSafetensors(path)), programs)).toThrow(
      /looks like Stable Cascade's stage A/,
    );
  });
});
