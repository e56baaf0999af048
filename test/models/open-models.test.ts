import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { tensor } from '../../src/compute/tensor.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { ModelError } from '../../src/models/model-error.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import {
  goldenTensors,
  maxDifference,
  relativeRms,
  syntheticCheckpoint,
  tinyCheckpoint,
} from '../support/golden.js';
import { readTensors, writeSafetensors } from '../support/models.js';

let folder: string;
const programs = createProgramCache(createOnnxBackend());

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-store-'));
  mkdirSync(join(folder, 'models/embeddings'), { recursive: true });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await programs.dispose();
});

function openStore() {
  const folders = createFolders({
    models: join(folder, 'models'),
    input: folder,
    output: folder,
    temp: folder,
  });
  return createModelStore({ programs, folders });
}

describe('createModelStore', () => {
  it.each(['sd15', 'sdxl'] as const)('opens %s with its three parts', async (family) => {
    const golden = goldenTensors(`golden/${family}-tiny.golden.safetensors`);
    const { model, clip, vae } = openStore().checkpoint(tinyCheckpoint(family));
    expect(model.family).toBe(family === 'sd15' ? 'sd1' : 'sdxl');
    const text = await clip.encode(
      'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels',
    );
    expect(relativeRms(text.cond, golden('clip.0.cond'))).toBeLessThan(2e-5);
    const image = await vae.decode(golden('vae.z'));
    expect(maxDifference(image, golden('vae.decoded'))).toBeLessThan(1 / 255);
  });

  it('opens a file once while it is unchanged', () => {
    const path = join(folder, 'changing.safetensors');
    copyFileSync(syntheticCheckpoint('diffusion/koala'), path);
    const store = openStore();
    const first = store.checkpoint(path);
    expect(store.checkpoint(path)).toBe(first);
    expect(store.weights(path)).toBe(store.weights(path));
    utimesSync(path, new Date(), new Date(2000, 1, 1));
    const second = store.checkpoint(path);
    expect(second).not.toBe(first);
    expect(second.model.identity).not.toBe(first.model.identity);
  });

  it('opens VAE files in every layout', async () => {
    const golden = goldenTensors('golden/sd15-tiny.golden.safetensors');
    const whole = readTensors(tinyCheckpoint('sd15'));
    const prefix = 'first_stage_model.';
    const plain = Object.fromEntries(
      Object.entries(whole).flatMap(([key, value]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
      ),
    );
    const path = join(folder, 'plain.safetensors');
    writeSafetensors(path, plain);
    const store = openStore();
    const fromFile = await store.vae(path).decode(golden('vae.z'));
    const fromCheckpoint = await store.vae(tinyCheckpoint('sd15')).decode(golden('vae.z'));
    expect(fromFile).toEqual(fromCheckpoint);
    expect(store.vae(path)).toBe(store.vae(path));
  });

  it('lets a checkpoint without VAE and text encoder load, and says so when one is used', async () => {
    const path = syntheticCheckpoint('diffusion/koala');
    const { clip, vae } = openStore().checkpoint(path);
    await expect(vae.decode(tensor([1, 4, 8, 8]))).rejects.toThrow(
      /koala.*has no VAE: load one with VAELoader/,
    );
    await expect(clip.encode('a')).rejects.toThrow(ModelError);
  });

  it('says what it cannot open', () => {
    expect(() => openStore().checkpoint(join(folder, 'absent.safetensors'))).toThrow(/no such file/);
    const path = join(folder, 'vae-only.safetensors');
    writeSafetensors(path, {});
    expect(() => openStore().vae(path)).toThrow(/vae-only\.safetensors has no autoencoder/);
  });
});
