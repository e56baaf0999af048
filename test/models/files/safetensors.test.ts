import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/models/model-error.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { tinyCheckpoint } from '../../support/golden.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-safetensors-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A file of that header (text, or an object written as JSON) and as many bytes of data. */
function write(header: unknown, dataBytes: number, declaredLength?: bigint): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(declaredLength ?? BigInt(json.length));
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}

function f32(shape: readonly number[], begin: number, end: number) {
  return { dtype: 'F32', shape, data_offsets: [begin, end] };
}

function failure(path: string): string {
  try {
    openSafetensors(path);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    const { message } = error as ModelError;
    expect(message).toContain(path);
    return message;
  }
  throw new Error(`${path} was accepted`);
}

describe('openSafetensors', () => {
  it('reads a checkpoint’s keys, dtypes, shapes and offsets', () => {
    const opened = openSafetensors(tinyCheckpoint('sd15'));
    expect(opened.tensors.size).toBe(1003);
    const entry = opened.tensors.get('model.diffusion_model.time_embed.2.weight')!;
    expect(entry).toMatchObject({ dtype: 'F16', shape: [128, 128], byteLength: 32768 });
    opened.file.close();
  });

  it('takes metadata, empty tensors, scalars, padding and tensors in any order', () => {
    const header = JSON.stringify({
      __metadata__: { format: 'pt' },
      b: f32([2], 4, 12),
      a: f32([], 0, 4),
      empty: f32([0, 7], 4, 4),
    });
    const opened = openSafetensors(write(`${header}   `, 12));
    expect(opened.metadata).toEqual({ format: 'pt' });
    expect([...opened.tensors.keys()]).toEqual(['b', 'a', 'empty']);
    expect(opened.tensors.get('b')!.offset).toBe(8 + header.length + 3 + 4);
    opened.file.close();
  });

  it('says how many bytes a truncated file lacks', () => {
    expect(failure(write({ a: f32([4], 0, 16) }, 6))).toMatch(/truncated: 10 bytes are missing/);
    expect(failure(write({ a: f32([4], 0, 16) }, 0, 1000n))).toMatch(/truncated in its header: 9\d\d bytes/);
    expect(failure(write('', 0, 0n))).toMatch(/JSON/);
  });

  it.each<[string, unknown, number, RegExp]>([
    ['that is not JSON', '{"a": ', 0, /header is not valid JSON/],
    ['that is an array', '[]', 0, /JSON object/],
    ['that begins with a space', ' {}', 0, /begins with \{/],
    ['with metadata that is no text', { __metadata__: { a: 1 } }, 0, /__metadata__: a: .*string/],
    [
      'with an unknown dtype',
      { a: { dtype: 'F12', shape: [1], data_offsets: [0, 4] } },
      4,
      /tensor a: dtype/,
    ],
    ['with a negative extent', { a: f32([-1], 0, 4) }, 4, /tensor a: shape\.0/],
    ['with a fractional extent', { a: f32([1.5], 0, 6) }, 6, /tensor a: shape\.0/],
    ['with a text extent', { a: { dtype: 'F32', shape: ['1'], data_offsets: [0, 4] } }, 4, /a: shape\.0/],
    ['without a shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /tensor a: shape/],
    ['with a single offset', { a: { dtype: 'F32', shape: [1], data_offsets: [0] } }, 4, /a: data_offsets/],
    ['with a negative offset', { a: f32([1], -4, 0) }, 4, /a: data_offsets\.0/],
    ['with offsets beyond 2⁵³', { a: f32([1], 0, 2 ** 60) }, 4, /a: data_offsets\.1/],
    ['with offsets the wrong way round', { a: f32([1], 4, 0) }, 4, /tensor a ends 4 bytes before it begins/],
    [
      'with too few bytes for the shape',
      { a: f32([3], 0, 8) },
      8,
      /a is F32 \[3\], which needs 12 bytes.*span 8/,
    ],
    ['with an extent product beyond 2⁵³', { a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4, /impossible shape/],
    ['with overlapping tensors', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, /b overlaps tensor a by 4/],
    [
      'with one tensor’s bytes named twice',
      { a: f32([2], 0, 8), b: f32([2], 0, 8) },
      8,
      /b overlaps tensor a by 8/,
    ],
    [
      'with a gap',
      { a: f32([2], 0, 8), b: f32([2], 12, 20) },
      20,
      /b leaves a gap of 4 bytes after tensor a/,
    ],
    [
      'that does not begin at the data',
      { a: f32([1], 4, 8) },
      8,
      /a leaves a gap of 4 bytes after the header/,
    ],
    ['that leaves bytes undescribed', { a: f32([1], 0, 4) }, 9, /5 bytes that its header doesn't describe/],
  ])('refuses a header %s', (_, header, dataBytes, expected) => {
    expect(failure(write(header, dataBytes))).toMatch(expected);
  });

  it('refuses a header of impossible length, or of text that is not UTF-8', () => {
    expect(failure(write({}, 0, 2n ** 63n))).toMatch(/header would have 9223372036854776000 bytes/);
    const path = write('{"a"}', 0);
    writeFileSync(path, Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]));
    expect(failure(path)).toMatch(/not UTF-8/);
  });

  it('refuses a header that is nothing but brackets, before it is parsed', () => {
    for (const header of ['['.repeat(20_000_000), `{"a":${'{"a":'.repeat(1_000_000)}`]) {
      expect(failure(write(header, 0))).toMatch(/nests lists and objects more than 8 deep/);
    }
    const brackets = { __metadata__: { note: '[[[[[[[[[[{{{{{{{{\\"[[[["' } };
    openSafetensors(write(brackets, 0)).file.close();
  });

  it('quotes no more of a file than a person reads', () => {
    const long = 'k'.repeat(100_000);
    for (const entry of [
      f32([1], 0, 8),
      f32(
        Array.from({ length: 100_000 }, () => 1),
        0,
        8,
      ),
      5,
    ]) {
      expect(failure(write({ [long]: entry }, 8)).length).toBeLessThan(1000);
    }
    expect(failure(write({ __metadata__: { [long]: [long] } }, 0)).length).toBeLessThan(1000);
  });

  it('refuses what is no safetensors file, and says what it looks like', () => {
    const path = join(folder, 'other');
    writeFileSync(path, '');
    expect(failure(path)).toMatch(/it has 0 bytes/);
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1');
    expect(failure(path)).toMatch(/Git LFS pointer/);
    writeFileSync(path, 'PK\x03\x04 archive/data.pkl');
    expect(failure(path)).toMatch(/one of PyTorch's/);
    expect(failure(join(folder, 'absent'))).toMatch(/no such file/);
    expect(failure(folder)).toMatch(/not a file/);
  });
});
