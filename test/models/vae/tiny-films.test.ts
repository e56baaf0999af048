import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { previewPainter } from '../../../src/engine-process/preview.js';
import { createFolders, type Folders } from '../../../src/models/folders/folders.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import {
  tinyDecoder,
  tinyFilmFile,
  tinyFilmNames,
  tinyVaeFiles,
} from '../../../src/models/vae/tiny-files.js';
import { firstLatent } from '../../../src/nodes/sampling/progress.js';
import { goldenTensors, relativeRms, syntheticCheckpoint } from '../../support/golden.js';

/** tools/reference/tiny_films.py */
const golden = goldenTensors('vae/tiny-films.safetensors');
const programs = createProgramCache(createOnnxBackend());
let folder: string;
let folders: Folders;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-tiny-films-'));
  mkdirSync(join(folder, 'vae_approx'));
  for (const name of ['lighttaew2_1', 'taew2_1', 'lighttaew2_2', 'taef2_encoder', 'taef2_decoder']) {
    symlinkSync(syntheticCheckpoint(`vae/${name}`), join(folder, 'vae_approx', `${name}.safetensors`));
  }
  folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await programs.dispose();
});

const open = (path: string) => createModelStore({ programs, folders }).vae(path);
const film = (name: string) => open(join(folder, 'vae_approx', `${name}.safetensors`));

describe('tiny autoencoders of films', () => {
  it.each(['lighttaew2_1', 'taew2_1', 'lighttaew2_2'])('%s decodes as ComfyUI’s', async (name) => {
    const images = await film(name).decode(golden(`${name}.latent`));
    expect(images.shape[0]).toBe(5);
    expect(relativeRms(images, golden(`${name}.decoded`))).toBeLessThan(2e-5);
  });

  it.each(['lighttaew2_1', 'lighttaew2_2'])('%s encodes as ComfyUI’s', async (name) => {
    const latent = await film(name).encode(golden(`${name}.pixels`));
    expect(relativeRms(latent, golden(`${name}.encoded`))).toBeLessThan(2e-5);
  });

  it('are listed where VAELoader lists them', () => {
    expect(tinyFilmNames(folders)).toEqual(['lighttaew2_1.safetensors', 'lighttaew2_2.safetensors']);
    expect(tinyFilmFile(folders, 'lighttaew2_1.safetensors')).toBe(
      join(folder, 'vae_approx', 'lighttaew2_1.safetensors'),
    );
    expect(tinyFilmFile(folders, 'taew2_1.safetensors')).toBeUndefined();
  });
});

it('Flux.2’s tiny autoencoder decodes and encodes as ComfyUI’s', async () => {
  const vae = createModelStore({ programs, folders }).vae(tinyVaeFiles(folders, 'taef2')!);
  expect(vae).toMatchObject({ downscale: 16, latentChannels: 128 });
  expect(relativeRms(await vae.decode(golden('taef2.latent')), golden('taef2.decoded'))).toBeLessThan(2e-5);
  expect(relativeRms(await vae.encode(golden('taef2.pixels')), golden('taef2.encoded'))).toBeLessThan(2e-5);
});

describe('previews', () => {
  it.each([
    ['lighttaew2_1', 'lighttaew2_1'],
    ['lighttaew2_2', 'lighttaew2_2'],
    ['taef2', 'taef2_decoder'],
  ])('are those of ComfyUI’s previewer: %s', async (name, start) => {
    const files = tinyDecoder(folders, start)!;
    const latent = golden(`${name}.latent`);
    const paint = previewPainter('taesd', (message) => expect.fail(message))!;
    const path = join(folder, `${name}.png`);
    const decode = () => createModelStore({ programs, folders }).vae(files).decode(firstLatent(latent));
    expect(await paint({ denoised: latent, tinyDecoder: { file: start, decode } }, path)).toBe(true);
    const painted = await sharp(path).raw().toBuffer();
    const expected = golden(`${name}.preview`).data;
    expect(painted).toHaveLength(expected.length);
    const apart = Math.max(...painted.map((value, index) => Math.abs(value - expected[index]!)));
    expect(apart).toBeLessThanOrEqual(1);
  });
});
