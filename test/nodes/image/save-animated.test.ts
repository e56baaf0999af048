import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { toPicture } from '../../../src/imaging/bytes.js';
import { decodePicture } from '../../../src/imaging/pictures/decode.js';
import { chunksOf } from '../../../src/imaging/png.js';
import { saveAnimatedPng, saveAnimatedWebp } from '../../../src/nodes/image/save-animated.js';
import { imageCompare, saveImageWebsocket } from '../../../src/nodes/image/save-image.js';
import type { SavedFile } from '../../../src/nodes/definition.js';
import { nodeContext } from '../../support/node-context.js';

function pattern(...shape: number[]): Tensor {
  const image = tensor(shape);
  image.data.forEach((_, index) => (image.data[index] = ((index * 37) % 256) / 255));
  return image;
}

/** The pixels of each frame, without alpha where the image has none. */
async function framesOf(path: string, channels: number): Promise<Uint8Array[]> {
  const frames = await decodePicture(readFileSync(path));
  return frames.map(({ rgba }) =>
    Uint8Array.from(rgba).filter((_, index) => channels === 4 || index % 4 !== 3),
  );
}

const metadata = { prompt: '{"1": {"class_type": "X"}}', workflow: '{"nodes": []}' };

describe.each([1, 3])('%i frames', (count) => {
  it.each([3, 4])('are saved as PNG with %i channels, the workflow inside', async (channels) => {
    const images = pattern(count, 5, 6, channels);
    const inputs = { images, filename_prefix: 'sub/anim', fps: 7, compress_level: 4 };
    const { ui, outputs } = await saveAnimatedPng.run(inputs, nodeContext({}, { metadata }));
    const [file] = ui!.images as SavedFile[];
    expect(file).toMatchObject({ filename: 'anim_00001_.png', subfolder: 'sub', type: 'output' });
    expect(ui!['animated']).toEqual([count > 1]);
    expect(outputs[0]).toBe(images);
    const expected = Array.from({ length: count }, (_, index) => toPicture(images, index).data);
    expect(await framesOf(file!.path, channels)).toEqual(expected.map((data) => Uint8Array.from(data)));
    const chunks = chunksOf(readFileSync(file!.path));
    const texts = chunks.filter(({ type }) => type === 'comf').map(({ body }) => body.toString('latin1'));
    expect(texts).toEqual([`prompt\0${metadata.prompt}`, `workflow\0${metadata.workflow}`]);
    const delays = chunks.filter(({ type }) => type === 'fcTL').map(({ body }) => body.readUInt16BE(20));
    expect(delays).toEqual(count === 1 ? [] : Array<number>(count).fill(142));
  });

  it('are saved as WebP, the workflow inside', async () => {
    const images = pattern(count, 5, 6, 3);
    const inputs = {
      images,
      filename_prefix: 'anim',
      fps: 7,
      lossless: true,
      quality: 80,
      method: 'default',
    } as const;
    const { ui } = await saveAnimatedWebp.run(inputs, nodeContext({}, { metadata }));
    const [file] = ui!.images as SavedFile[];
    const expected = Array.from({ length: count }, (_, index) => toPicture(images, index).data);
    expect(await framesOf(file!.path, 3)).toEqual(expected.map((data) => Uint8Array.from(data)));
    const { delay, exif, loop } = await sharp(file!.path, { animated: true }).metadata();
    if (count > 1) expect([delay, loop]).toEqual([[142, 142, 142], 0]);
    expect(exif!.toString('latin1')).toContain(`prompt:${metadata.prompt}\0`);
    expect(exif!.toString('latin1')).toContain(`workflow:${metadata.workflow}\0`);
  });
});

it('SaveImageWebsocket hands pictures over without a workflow inside', async () => {
  const images = pattern(2, 4, 4, 3);
  const { ui } = await saveImageWebsocket.run({ images }, nodeContext({}, { metadata }));
  const files = ui!['websocket_images'] as SavedFile[];
  expect(files.map(({ type }) => type)).toEqual(['temp', 'temp']);
  for (const [index, { path }] of files.entries()) {
    expect((await framesOf(path, 3))[0]).toEqual(Uint8Array.from(toPicture(images, index).data));
    expect(chunksOf(readFileSync(path)).map(({ type }) => type)).not.toContain('tEXt');
  }
});

it('ImageCompare saves what it is given, to look at', async () => {
  const inputs = { compare_view: null, image_a: pattern(1, 4, 4, 3) };
  const { ui } = await imageCompare.run(inputs, nodeContext());
  expect(ui!['a_images']).toMatchObject([{ filename: 'comfy.compare.a_00001_.png', type: 'temp' }]);
  expect(ui!['b_images']).toEqual([]);
});
