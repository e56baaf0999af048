import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModelError } from '../../src/models/model-error.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { readManifest, writeSyntheticCheckpoint, type Manifest } from './synthetic.js';
import { fixture, tinyCheckpoint } from '../support/golden.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-synthetic-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function values(manifest: Manifest, key: string): Float32Array {
  const path = join(folder, 'model.safetensors');
  writeSyntheticCheckpoint(manifest, path);
  const { file, tensors } = openSafetensors(path);
  const { dtype, shape, offset } = tensors.get(key)!;
  const into = new Float32Array(shape.reduce((a, b) => a * b, 1));
  file.widen(offset, dtype, into);
  file.close();
  return into;
}

describe('synthetic checkpoints', () => {
  it('have the values of the recipe', () => {
    const spots = JSON.parse(readFileSync(fixture('golden/synth-spots.json'), 'utf8')) as Record<
      string,
      number[]
    >;
    const full = readManifest(fixture('golden/manifests/sd15-full.json'));
    for (const [key, expected] of Object.entries(spots)) {
      const actual = values({ [key]: full[key]! }, key);
      expect([...actual.subarray(0, expected.length)], key).toEqual(expected);
    }
  });

  it.each([
    ['sd15', '148d9ed24b2ff89d9158ec966de9d170c78c9fe5fc7c6dda79f83176ff6678a0'],
    ['sdxl', 'c5e0658d1b5f19ab851d884f1d2a6bba8f4f93753e0ed2d575a9d942214fbbaf'],
  ] as const)('of %s are the reference writer’s to the byte', (family, digest) => {
    const bytes = readFileSync(tinyCheckpoint(family));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
  });

  it('round float64 once, to bfloat16 and to float32', () => {
    const key = 'layer.weight';
    const shape = [64, 48];
    const wide = values({ [key]: ['F32', shape] }, key);
    const narrow = values({ [key]: ['BF16', shape] }, key);
    narrow.forEach((value, index) => {
      expect(Math.abs(value - wide[index]!)).toBeLessThanOrEqual(Math.abs(wide[index]!) * 2 ** -8);
    });
    expect(values({ logit_scale: ['F32', []] }, 'logit_scale')).toEqual(Float32Array.of(4.6055));
  });

  it('leave nothing behind when they cannot be written', () => {
    const target = join(folder, 'taken');
    writeFileSync(join(folder, 'keep'), '');
    expect(() => {
      writeSyntheticCheckpoint({ a: ['F32', [4]] }, join(target, 'model.safetensors'));
    }).toThrow(/ENOENT/);
    expect(readdirSync(folder)).toEqual(['keep']);
  });

  it('need a manifest that is one', () => {
    const path = join(folder, 'manifest.json');
    writeFileSync(path, '{"a": ["F12", [4]]}');
    expect(() => readManifest(path)).toThrow(ModelError);
    expect(() => readManifest(path)).toThrow(/manifest\.json[^]*at a\[0\]/);
  });
});
