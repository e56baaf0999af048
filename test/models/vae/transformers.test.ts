import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { seePicture } from '../../../src/models/text/vision/vision-tower.js';
import { createAutoencoder } from '../../../src/models/vae/autoencoder.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { fixture, goldenTensors, relativeRms, syntheticCheckpoint } from '../../support/golden.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

const golden = goldenTensors('vae/transformers.safetensors');
const tolerance = 5e-6;

const weightsOf = (name: string): WeightSource =>
  safetensorsWeights(openSafetensors(syntheticCheckpoint(`golden/manifests/${name}-tiny`)));

/** The film of an autoencoder, which the fixture keeps as bytes, N×H×W×3. */
function film(name: string): Tensor {
  const weight = safetensorsWeights(openSafetensors(fixture('vae/transformers.safetensors'))).weight(
    `${name}.film`,
  );
  const bytes = tensor(weight.shape);
  weight.read(bytes.data);
  return tensor(
    bytes.shape,
    bytes.data.map((value) => value / 255),
  );
}

/** Every so manyth frame, and every second row and column. */
function everySecond(images: Tensor, frames: number): Tensor {
  const [count = 0, height = 0, width = 0] = images.shape;
  const kept = tensor([Math.ceil(count / frames), height / 2, width / 2, 3]);
  const [, rows = 0, columns = 0] = kept.shape;
  for (let pixel = 0; pixel < kept.data.length / 3; pixel++) {
    const column = pixel % columns;
    const row = Math.floor(pixel / columns) % rows;
    const frame = Math.floor(pixel / columns / rows);
    const from = ((frame * frames * height + row * 2) * width + column * 2) * 3;
    kept.data.set(images.data.subarray(from, from + 3), pixel * 3);
  }
  return kept;
}

describe.each(['ae', 'flux2_vae', 'qwen_image_vae', 'wan22_vae'])('%s', (name) => {
  const vae = () => createAutoencoder(weightsOf(name), programs);

  it('decodes a latent as ComfyUI does', async () => {
    const decoded = everySecond(await vae().decode(golden(`${name}.z`)), 1);
    const { shape, data } = golden(`${name}.decoded`);
    expect(relativeRms(decoded, tensor([1, ...shape], data))).toBeLessThan(tolerance);
  });

  it('encodes a picture as ComfyUI does', async () => {
    const encoded = await vae().encode(golden(`${name}.image`));
    expect(relativeRms(encoded, golden(`${name}.encoded`))).toBeLessThan(tolerance);
  });
});

describe.each(['qwen_image_vae', 'wan22_vae'])('%s, a film', (name) => {
  const vae = () => createAutoencoder(weightsOf(name), programs);

  it('is decoded frame by frame, each with what was before it', async () => {
    const decoded = await vae().decode(golden(`${name}.film.z`));
    expect(decoded.shape).toEqual([9, 64, 64, 3]);
    expect(relativeRms(everySecond(decoded, 2), golden(`${name}.film.decoded`))).toBeLessThan(tolerance);
  });

  it('is encoded in groups of four frames behind the first; what is short of a group is left out', async () => {
    const given = film(name);
    const encoded = await vae().encode(given);
    expect(relativeRms(encoded, golden(`${name}.film.encoded`))).toBeLessThan(tolerance);
    const frame = given.data.length / 9;
    const longer = tensor([11, ...given.shape.slice(1)]);
    longer.data.set(given.data);
    longer.data.fill(0.5, 9 * frame);
    expect((await vae().encode(longer)).data).toEqual(encoded.data);
  });

  it('takes a latent without frames as one', async () => {
    const film = golden(`${name}.z`);
    const flat = tensor([1, film.shape[1]!, ...film.shape.slice(3)], film.data);
    expect(await vae().decode(flat)).toEqual(await vae().decode(film));
  });
});

it('codes a film in tiles of space and time as the nodes do', async () => {
  const vae = createAutoencoder(weightsOf('qwen_image_vae'), programs);
  const frame = golden('tiles.frame');
  const given = tensor([17, ...frame.shape.slice(1)]);
  for (let index = 0; index < 17; index++) given.data.set(frame.data, index * frame.data.length);
  const encoded = golden('tiles.encoded');
  const tiles = { tileSize: 64, overlap: 16 };
  const inTiles = await vae.encode(given, { ...tiles, temporalSize: 9, temporalOverlap: 5 });
  expect(relativeRms(inTiles, encoded)).toBeLessThan(tolerance);
  const decoded = await vae.decode(encoded, { ...tiles, temporalSize: 8, temporalOverlap: 4 });
  expect(relativeRms(everySecond(decoded, 4), golden('tiles.decoded'))).toBeLessThan(tolerance);
});

it('sees a picture of odd sides in windows, as Qwen2.5-VL does', async () => {
  const options = {
    weights: weightsOf('qwen25_vl_7b'),
    programs,
    stopAtLayer: undefined,
    warn: () => undefined,
  };
  const seen = await seePicture({ picture: golden('vision.image') }, options);
  expect([seen.down, seen.across]).toEqual([3, 5]);
  expect(relativeRms(seen.rows, golden('vision.rows'))).toBeLessThan(tolerance);
});
