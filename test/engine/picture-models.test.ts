import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelError, openPictureModels, restoreFaces, tensor, type PictureModels } from '../../src/index.js';
import { writeSyntheticCheckpoint } from '../support/synthetic.js';
import { fixtureManifest } from '../support/golden.js';
import { compactManifest } from '../video/compact.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-picture-models-'));
let models: PictureModels;

function write(name: string, manifest: Parameters<typeof writeSyntheticCheckpoint>[0]): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeSyntheticCheckpoint(manifest, path);
}

beforeAll(() => {
  write('upscale_models/compact-x2.safetensors', compactManifest(2, 8, 2));
  write('GFPGAN/GFPGANv1.4.safetensors', fixtureManifest('faces/small-gfpgan'));
  write('GFPGAN/parsing_parsenet.safetensors', fixtureManifest('faces/small-parsenet'));
  write(
    'facedetection/detection_mobilenet0.25_Final.safetensors',
    fixtureManifest('faces/retinaface-mobile0.25'),
  );
  models = openPictureModels({ folders: { models: folder }, threads: 2 });
});
afterAll(async () => {
  await models.dispose();
  rmSync(folder, { recursive: true });
});

const image = tensor([1, 40, 64, 3]);
image.data.forEach((_, index) => {
  image.data[index] = (index % 97) / 96;
});

it('enlarges and restores pictures by the names of models', async () => {
  const upscaler = models.upscaler('compact-x2');
  expect([upscaler.architecture, upscaler.scale]).toEqual(['Compact', 2]);
  const large = await upscaler.upscale(image);
  expect(large.shape).toEqual([1, 80, 128, 3]);
  const tools = models.faceTools({ restorer: 'gfpgan', detector: 'retinaface_mobile0.25' });
  expect(tools.restorer.architecture).toBe('GFPGAN');
  const seen: number[] = [];
  const restored = await restoreFaces(large, tools, {
    progress: (done, of, faces) => seen.push(done, of, faces),
  });
  expect(restored.shape).toEqual(large.shape);
  expect(restored.data.every((value) => Math.abs(value * 255 - Math.round(value * 255)) < 1e-3)).toBe(true);
  expect(seen.slice(0, 2)).toEqual([1, 1]);
});

it('says what is missing, where it was looked for and what is near', () => {
  expect(() => models.upscaler('compact-x3')).toThrow(/"compact-x3".*upscale_models.*compact-x2/s);
  expect(() => models.faceTools({ restorer: 'CodeFormer' })).toThrow(ModelError);
  expect(() => models.faceTools({ restorer: 'GFPGANv1.3' })).toThrow(/facerestore_models.*GFPGANv1\.4/s);
  expect(() => models.faceTools({ restorer: 'GFPGAN' })).toThrow(
    /detection_Resnet50_Final\.pth.*facedetection/s,
  );
});
