import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import { createFolders, type Folders } from '../../../src/models/folders/folders.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { tinyVaeFiles, tinyVaeNames } from '../../../src/models/vae/tiny-files.js';
import { fixture, goldenTensors, maxDifference, relativeRms } from '../../support/golden.js';
import { linkTinyVaes } from '../../support/tiny-vaes.js';
import { f32, readTensors, writeSafetensors } from '../../support/models.js';

let folder: string;
let folders: Folders;
const programs = createProgramCache(createOnnxBackend());

function foldersOf(models: string): Folders {
  return createFolders({ models, input: models, output: models, temp: models });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-tiny-vae-'));
  linkTinyVaes(folder);
  folders = foldersOf(folder);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await programs.dispose();
});

const store = () => createModelStore({ programs, folders });
const tiny = (name: string) => store().vae(tinyVaeFiles(folders, name)!);
const golden = goldenTensors('vae/tiny.safetensors');

describe('tiny autoencoders', () => {
  it.each(['taesd', 'taesdxl'])('%s decodes and encodes batches as ComfyUI’s nodes', async (name) => {
    const vae = tiny(name);
    expect(vae).toMatchObject({ downscale: 8, latentChannels: 4 });
    const images = await vae.decode(golden('latent'));
    expect(relativeRms(images, golden(`${name}.decoded`))).toBeLessThan(2e-5);
    expect(maxDifference(images, golden(`${name}.decoded`))).toBeLessThan(1 / 255);
    const latents = await vae.encode(golden('image'));
    expect(relativeRms(latents, golden(`${name}.encoded`))).toBeLessThan(2e-5);
  });

  it('take as many latent channels as their file has', async () => {
    const vae = tiny('taef1');
    expect(vae.latentChannels).toBe(16);
    const images = await vae.decode(golden('latent.flux'));
    expect(relativeRms(images, golden('taef1.decoded'))).toBeLessThan(2e-5);
    const [, ...one] = golden('image').shape;
    const first = tensor([1, ...one], golden('image').data.slice(0, golden('image').data.length / 2));
    expect(relativeRms(await vae.encode(first), golden('taef1.encoded'))).toBeLessThan(2e-5);
    await expect(vae.decode(golden('latent'))).rejects.toThrow(/shape \[N, 16, h, w\], got \[2, 4, 4, 6\]/);
  });

  it('work in tiles as ComfyUI’s', async () => {
    const tiles = { tileSize: 64, overlap: 16 };
    const image = await tiny('taesd').decode(golden('latent.wide'), tiles);
    expect(relativeRms(image, golden('tiled.decoded'))).toBeLessThan(2e-5);
    const latent = await tiny('taesd').encode(golden('image.large'), tiles);
    expect(relativeRms(latent, golden('tiled.encoded'))).toBeLessThan(2e-5);
  });

  it('decode what previews show, with a decoder alone', async () => {
    const { decoder } = tinyVaeFiles(folders, 'taesd')!;
    const vae = store().vae({ decoder, scale: 1, shift: 0 });
    const { shape, data } = golden('latent');
    const scale = Math.fround(0.18215);
    const seen = tensor(
      shape,
      data.map((value) => value * scale),
    );
    const image = await vae.decode(seen);
    const expected = golden('preview');
    expected.data.forEach((value, index) => {
      expect(Math.abs(Math.floor(image.data[index]! * 255) - value)).toBeLessThanOrEqual(1);
    });
    await expect(vae.encode(golden('image'))).rejects.toThrow(/has no tensor taesd_encoder\.0\.weight/);
  });

  it('may be one file under ComfyUI’s own keys, which then has no scaling but its own', async () => {
    const { encoder, decoder } = tinyVaeFiles(folders, 'taesd')!;
    const parts = { taesd_encoder: readTensors(encoder), taesd_decoder: readTensors(decoder) };
    const tensors = Object.entries(parts).flatMap(([part, own]) =>
      Object.entries(own).map(([key, value]) => [`${part}.${key}`, value] as const),
    );
    const whole = join(folder, 'whole.safetensors');
    writeSafetensors(whole, Object.fromEntries(tensors));
    const plain = store().vae({ encoder, decoder, scale: 1, shift: 0 });
    expect(await store().vae(whole).decode(golden('latent'))).toEqual(await plain.decode(golden('latent')));
    const scaled = join(folder, 'scaled.safetensors');
    writeSafetensors(scaled, { ...Object.fromEntries(tensors), vae_scale: f32([], [0.18215]) });
    const latent = await store().vae(scaled).encode(golden('image'));
    expect(relativeRms(latent, golden('taesd.encoded'))).toBeLessThan(2e-5);
  });

  it('say what another kind is', () => {
    const path = join(folder, 'other.safetensors');
    writeSafetensors(path, { '1.weight': f32([1, 4, 1], [0, 0, 0, 0]) });
    expect(() => store().vae({ decoder: path, scale: 1, shift: 0 })).toThrow(
      /other\.safetensors has a tiny autoencoder of another kind than TAESD \(taesd_decoder\.1\.weight\)/,
    );
  });
});

interface Listing {
  readonly files: readonly string[];
  readonly names: readonly string[];
}

const listings = JSON.parse(readFileSync(fixture('vae/tiny-listings.json'), 'utf8')) as readonly Listing[];

it.each(listings)('of the files $files are listed: $names', ({ files, names }) => {
  const models = mkdtempSync(join(folder, 'listing-'));
  for (const file of files) {
    const path = join(models, 'vae_approx', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }
  const own = foldersOf(models);
  expect([...tinyVaeNames(own)].sort()).toEqual(names);
  for (const name of names) expect(tinyVaeFiles(own, name)).toBeDefined();
  expect(tinyVaeFiles(own, 'toString')).toBeUndefined();
});
