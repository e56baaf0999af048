import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { loadImage, loadImageMask } from '../../../src/nodes/image/load-image.js';
import { fixture } from '../../support/golden.js';
import { nodeContext, temporaryFolder } from '../../support/node-context.js';
import { differences } from '../../support/reference-values.js';

interface PictureCase {
  readonly file: string;
  readonly image: string;
  /** Without it the masks are black, 64×64. */
  readonly mask?: string;
  readonly alpha: string;
  readonly red: string;
  readonly blue: string;
}

const FOLDER = fixture('images');
const expected = openSafetensors(join(FOLDER, 'expected.safetensors'));
const cases = JSON.parse(expected.metadata['cases']!) as readonly PictureCase[];

/** Bytes of the fixture, each over 255. */
function golden(key: string): Tensor {
  const entry = expected.tensors.get(key)!;
  const bytes = expected.file.read(entry.offset, entry.byteLength);
  return tensor(
    entry.shape,
    Float32Array.from(bytes, (byte) => byte / 255),
  );
}

function firstOf(masks: Tensor): Tensor {
  const [, height, width] = masks.shape as readonly [number, number, number];
  return tensor([1, height, width], masks.data.slice(0, height * width));
}

describe("pictures as ComfyUI's LoadImage reads them", () => {
  const context = () => nodeContext({ input: FOLDER });

  it.each(cases)('$file', async ({ file, image, mask }) => {
    const { outputs } = await loadImage.run({ image: file }, context());
    const pictures = golden(image);
    expect(differences(outputs[0], pictures, 0)).toEqual([]);
    const masks = mask === undefined ? tensor([pictures.shape[0]!, 64, 64]) : golden(mask);
    // 1 − byte / 255 in float32 is not always (255 − byte) / 255.
    expect(differences(outputs[1], masks, 6e-8)).toEqual([]);
  });

  it.each(cases)('$file as masks', async ({ file, ...channels }) => {
    for (const channel of ['alpha', 'red', 'blue'] as const) {
      const { outputs } = await loadImageMask.run({ image: file, channel }, context());
      const [first] = outputs[0].shape[0] === 1 ? [outputs[0]] : [firstOf(outputs[0])];
      expect(differences(first, golden(channels[channel]), channel === 'alpha' ? 6e-8 : 0)).toEqual([]);
    }
  });

  it('every frame of an animated picture is a mask', async () => {
    const { outputs } = await loadImageMask.run({ image: 'animated.gif', channel: 'green' }, context());
    expect(outputs[0].shape).toEqual([3, 5, 7]);
  });
});

describe('files that a workflow names', () => {
  it('lie in the output and temp folders too, when the name says so', async () => {
    const output = temporaryFolder();
    copyFileSync(join(FOLDER, 'rgb.png'), join(output, 'made.png'));
    const context = nodeContext({ input: FOLDER, output });
    const { outputs } = await loadImage.run({ image: 'made.png [output]' }, context);
    expect(differences(outputs[0], golden('rgb.png.image'), 0)).toEqual([]);
  });

  it('are refused before the run when they are missing or elsewhere', () => {
    const { folders } = nodeContext({ input: FOLDER });
    const { reject } = loadImage.required.image;
    expect(reject?.('rgb.png', folders)).toBeUndefined();
    expect(reject?.('rgb.pnk', folders)).toMatch(/no file "rgb.pnk".*rgb\.png/);
    expect(reject?.('../golden/tokens.json', folders)).toMatch(/leads out of the input folder/);
  });

  it('are listed when they are pictures', () => {
    const { folders } = nodeContext({ input: FOLDER });
    const listed = (options: typeof loadImage.required.image.options) =>
      typeof options === 'function' ? options(folders) : options;
    expect(listed(loadImage.required.image.options)).toEqual(cases.map(({ file }) => file));
    expect(listed(loadImageMask.required.image.options)).toContain('expected.safetensors');
  });

  it('change the fingerprint with their content, not with their date', () => {
    const input = temporaryFolder();
    const { folders } = nodeContext({ input });
    const write = (from: string) => {
      writeFileSync(join(input, 'a.png'), readFileSync(join(FOLDER, from)));
      return loadImage.fingerprint?.({ image: 'a.png' }, folders);
    };
    const first = write('rgb.png');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(write('rgb.png')).toBe(first);
    expect(write('grey.png')).not.toBe(first);
  });
});

describe('files that are no pictures', () => {
  const load = async (name: string, bytes: Buffer) => {
    const input = temporaryFolder();
    writeFileSync(join(input, name), bytes);
    return loadImage.run({ image: name }, nodeContext({ input }));
  };

  it.each(['lossy.webp', 'animated.gif'])('are named: %s cut off in its header', async (name) => {
    const bytes = readFileSync(join(FOLDER, name));
    await expect(load(name, bytes.subarray(0, 12))).rejects.toThrow(`"${name}" can't be loaded: `);
  });

  it('are named: text, SVG, nothing at all', async () => {
    await expect(load('a.png', Buffer.from('hello'))).rejects.toThrow(
      /"a.png" can't be loaded: it is in none of the formats that are read: PNG, .*; others are read by ffmpeg, but /,
    );
    await expect(load('a.png', Buffer.alloc(0))).rejects.toThrow(/"a.png" can't be loaded/);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>';
    await expect(load('a.svg', Buffer.from(svg))).rejects.toThrow(/none of the formats/);
  });
});
