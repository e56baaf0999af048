import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { loadImage, loadImageMask } from '../../../src/nodes/image/load-image.js';
import { fixture } from '../../support/golden.js';
import { nodeContext } from '../../support/node-context.js';
import { differences } from '../../support/reference-values.js';

const CASES = fixture('images/cases');
const DEEP = fixture('images/deep');

/** Lossy AVIF has more than one right decoder. */
const TOLERANCES: Readonly<Record<string, number>> = { 'anim.avif': 2 / 255 };

/** What ComfyUI saved, frame by frame: `expected-KIND_00001_.png` and so on. */
async function saved(name: string, kind: string): Promise<Tensor[]> {
  const folder = join(CASES, name);
  const files = readdirSync(folder).filter((file) => file.startsWith(`expected-${kind}_`));
  return Promise.all(
    files.sort().map(async (file) => {
      const { data, info } = await sharp(join(folder, file))
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return tensor(
        [1, info.height, info.width, info.channels],
        Float32Array.from(data, (byte) => byte / 255),
      );
    }),
  );
}

function frameOf(batch: Tensor, index: number): Tensor {
  const shape = [1, ...batch.shape.slice(1)];
  const length = shape.reduce((product, side) => product * side, 1);
  return tensor(shape, batch.data.slice(index * length, (index + 1) * length));
}

/** A mask as MaskToImage and SaveImage write it: grey, fractions cut off. */
function asSaved(mask: Tensor): Tensor {
  const bytes = Float32Array.from(mask.data, (value) => Math.floor(Math.fround(255 * value)) / 255);
  const image = tensor([...mask.shape, 3]);
  bytes.forEach((value, at) => image.data.fill(value, at * 3, at * 3 + 3));
  return image;
}

describe('pictures of odd kinds as ComfyUI loads them', () => {
  const names = readdirSync(CASES).filter((name) => existsSync(join(CASES, name, 'expected-img_00001_.png')));

  it.each(names)('%s', async (name) => {
    const context = nodeContext({ input: join(CASES, name) });
    const [images, masks] = (await loadImage.run({ image: name }, context)).outputs;
    const [expectedImages, expectedMasks] = [await saved(name, 'img'), await saved(name, 'mask')];
    expect(images.shape[0]).toBe(expectedImages.length);
    expectedImages.forEach((expected, index) => {
      expect(differences(frameOf(images, index), expected, TOLERANCES[name] ?? 0)).toEqual([]);
    });
    expectedMasks.forEach((expected, index) => {
      expect(differences(asSaved(frameOf(masks, index)), expected, 1e-6)).toEqual([]);
    });
    for (const expected of await saved(name, 'lmalpha')) {
      const [alpha] = (await loadImageMask.run({ image: name, channel: 'alpha' }, context)).outputs;
      expect(differences(asSaved(alpha), expected, 1e-6)).toEqual([]);
    }
  });

  it('cmyka.tif, which Pillow refuses, shows its colours and its alpha', async () => {
    const context = nodeContext({ input: join(CASES, 'cmyka.tif') });
    const [image, mask] = (await loadImage.run({ image: 'cmyka.tif' }, context)).outputs;
    const { data, info } = await sharp(join(CASES, 'cmyka.tif', 'what-it-shows.png'))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const shown = tensor(
      [1, info.height, info.width, 4],
      Float32Array.from(data, (byte) => byte / 255),
    );
    const rgb = tensor(
      [1, info.height, info.width, 3],
      shown.data.filter((_, at) => at % 4 !== 3),
    );
    expect(differences(image, rgb, 0)).toEqual([]);
    expect(mask.shape).toEqual([1, info.height, info.width]);
  });

  it('a GIF whose codes never end is drawn as far as it goes', async () => {
    const context = nodeContext({ input: CASES });
    const { outputs } = await loadImage.run({ image: 'gif-hang.gif' }, context);
    expect(outputs[0].shape).toEqual([3, 6, 8, 3]);
  });
});

describe('pictures of more than 8 bits a channel, and transparent colours, as ComfyUI 0.29.0 loads them', () => {
  const expected = openSafetensors(join(DEEP, 'expected.safetensors'));
  const golden = (key: string): Tensor => {
    const entry = expected.tensors.get(key)!;
    const bytes = Buffer.from(expected.file.read(entry.offset, entry.byteLength));
    return tensor(
      entry.shape,
      Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4)),
    );
  };

  it.each(JSON.parse(expected.metadata['files']!) as readonly string[])('%s', async (name) => {
    const { outputs } = await loadImage.run({ image: name }, nodeContext({ input: DEEP }));
    // ffmpeg takes 16-bit colours through 15 bits on their way to floats, and greys of 8 bits beside alpha to 254 / 255.
    const tolerance = name === 'grey-key.png' ? 1 / 255 : 34 / 65535;
    expect(differences(outputs[0], golden(`${name}.image`), tolerance)).toEqual([]);
    const mask = expected.tensors.has(`${name}.mask`) ? golden(`${name}.mask`) : tensor([1, 64, 64]);
    expect(differences(outputs[1], mask, tolerance)).toEqual([]);
  });
});

describe('files whose beginning promises too much', () => {
  it('are refused before memory is taken for them', async () => {
    const header = Buffer.concat([
      Buffer.from('GIF89a'),
      Buffer.of(0x10, 0x27, 0x10, 0x27, 0x80, 0, 0),
      Buffer.alloc(6),
    ]);
    const frame = Buffer.from([0x2c, 0, 0, 0, 0, 0x10, 0x27, 0x10, 0x27, 0, 2, 2, 0x4c, 1, 0]);
    const bytes = Buffer.concat([header, ...Array.from({ length: 20 }, () => frame), Buffer.of(0x3b)]);
    const { decodePicture } = await import('../../../src/imaging/pictures/decode.js');
    await expect(decodePicture(bytes)).rejects.toThrow(/more than 178956970 pixels together/);
    expect(readFileSync(join(CASES, 'gif-hang.gif'))).toHaveLength(163);
  });
});
