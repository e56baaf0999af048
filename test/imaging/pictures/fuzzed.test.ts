/** Damaged pictures, compared with Pillow. `FUZZED_PICTURES` names a larger file of them (tools/reference/fuzz_pictures.py). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/imaging/pictures/decode.js';
import { PictureError, type Frame } from '../../../src/imaging/pictures/frame.js';
import { fixture } from '../../support/golden.js';

interface Fuzzed {
  readonly name: string;
  readonly data: string;
  /** Frames, height, width; absent where Pillow refuses. */
  readonly shape?: readonly [number, number, number];
  readonly mode?: string;
  readonly sha256?: string;
}

const path = process.env['FUZZED_PICTURES'] ?? fixture('images/fuzzed.json.gz');
const files = JSON.parse(gunzipSync(readFileSync(path)).toString()) as readonly Fuzzed[];

/** A channel as Pillow has it, which cuts 16 bits down to 8: colours by their upper half, greys at white. */
function asByte(value: number, deep: boolean, mode: string): number {
  if (!deep) return value;
  const whole = Math.round(value * 65535);
  return mode.startsWith('I') ? Math.min(255, whole) : whole >> 8;
}

function digest(frames: readonly Frame[], mode: string): string {
  const hash = createHash('sha256');
  for (const { rgba, width, height } of frames) {
    const deep = rgba instanceof Float32Array;
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
      asByte(rgba[Math.floor(i / 3) * 4 + (i % 3)]!, deep, mode),
    );
    hash.update(rgb);
  }
  return hash.digest('hex');
}

async function verdict({ data, shape, mode = '', sha256 }: Fuzzed): Promise<string> {
  try {
    const frames = await decodePicture(Buffer.from(data, 'base64'));
    if (shape === undefined) return 'only latentd loads it';
    const [first] = frames as [Frame];
    const alike = frames.filter(({ width, height }) => width === first.width && height === first.height);
    if ([alike.length, first.height, first.width].join() !== shape.join()) return 'another shape';
    return digest(alike, mode) === sha256 ? 'same' : 'other pixels';
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return shape === undefined ? 'same' : 'only Pillow loads it';
  }
}

describe('damaged pictures are what Pillow makes of them, or refused as there', () => {
  it.each(['gif', 'png', 'bmp', 'tiff', 'webp'])('%s', async (kind) => {
    const ofKind = files.filter(({ name }) => name.endsWith(`.${kind}`));
    expect(ofKind.length).toBeGreaterThanOrEqual(30);
    const odd: string[] = [];
    for (const file of ofKind) {
      const found = await verdict(file);
      if (found !== 'same') odd.push(`${file.name}: ${found}`);
    }
    expect(odd).toEqual([]);
  });
});
