import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MappedFile, narrowToF16 } from '../../src/native/addon.js';

/** The value of a half by IEEE 754's definition, in float64. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-map-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(name: string, prefix: number, data: ArrayBufferView): string {
  const path = join(folder, name);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  writeFileSync(path, Buffer.concat([Buffer.alloc(prefix, 0xab), bytes]));
  return path;
}

describe('MappedFile', () => {
  it('widens every half exactly, at an odd offset and in every remainder of a vector', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, index) => index);
    const file = new MappedFile(fileOf('half', 3, halves));
    expect(file.size).toBe(3 + 131072);
    const values = new Float32Array(65536);
    file.widen(3, 'F16', values);
    expect(values).toEqual(Float32Array.from(halves, halfValue));
    for (let length = 0; length < 40; length++) {
      const some = new Float32Array(length);
      file.widen(3 + 2 * 1000, 'F16', some);
      expect(some).toEqual(values.slice(1000, 1000 + length));
    }
    file.close();
  });

  it('widens bfloat16, float32 and float64', () => {
    const bfloat = Uint16Array.from({ length: 65536 }, (_, index) => index);
    const file = new MappedFile(fileOf('bf16', 1, bfloat));
    const values = new Float32Array(65536);
    file.widen(1, 'BF16', values);
    const expected = new Float32Array(Uint32Array.from(bfloat, (bits) => bits << 16).buffer);
    expect(values).toEqual(expected);
    file.close();

    const doubles = Float64Array.of(Math.PI, -1e300, 1 + 2 ** -24 + 2 ** -40, 5e-324, -0, NaN, 1e-40);
    const wide = new MappedFile(fileOf('f64', 5, doubles));
    const narrowed = new Float32Array(doubles.length);
    wide.widen(5, 'F64', narrowed);
    expect(narrowed).toEqual(Float32Array.from(doubles));
    wide.close();

    const floats = Float32Array.of(1.5, -0, Infinity, 1e-45);
    const plain = new MappedFile(fileOf('f32', 2, floats));
    const same = new Float32Array(4);
    plain.widen(2, 'F32', same);
    expect(same).toEqual(floats);
    plain.close();
  });

  it('widens a run large enough for several threads without seams', () => {
    const count = 1_300_003;
    const halves = Uint16Array.from({ length: count }, (_, index) => (index * 40503) & 0x7bff);
    const file = new MappedFile(fileOf('large', 0, halves));
    const values = new Float32Array(count);
    file.widen(0, 'F16', values);
    const expected = Float32Array.from(halves, halfValue);
    expect(values.every((value, index) => value === expected[index])).toBe(true);
    file.close();
  });

  it('reads copies', () => {
    const file = new MappedFile(fileOf('read', 0, Uint8Array.of(1, 2, 3, 4)));
    const bytes = file.read(1, 2);
    expect(bytes).toEqual(Uint8Array.of(2, 3));
    file.close();
    expect(bytes).toEqual(Uint8Array.of(2, 3));
  });

  it('refuses what lies beyond the end, and wrong arguments', () => {
    const file = new MappedFile(fileOf('small', 0, Uint8Array.of(1, 2, 3, 4)));
    expect(() => file.read(2, 3)).toThrow(RangeError);
    expect(() => file.read(2, 3)).toThrow(/3 bytes at 2 are beyond the end of .*small, which has 4 bytes/);
    expect(() => file.read(5, 0)).toThrow(RangeError);
    expect(() => file.read(-1, 2)).toThrow(RangeError);
    expect(() => file.read(0.5, 2)).toThrow(RangeError);
    expect(() => file.read(2 ** 53 - 1, 2 ** 53 - 1)).toThrow(RangeError);
    expect(() => {
      file.widen(2, 'F32', new Float32Array(1));
    }).toThrow(RangeError);
    expect(() => {
      file.widen(0, 'F8' as 'F16', new Float32Array(1));
    }).toThrow(new TypeError("values of the type F8 can't be read"));
    expect(() => {
      file.widen(0, 'F32', new Uint8Array(4) as unknown as Float32Array);
    }).toThrow(TypeError);
    file.close();
    file.close();
    expect(() => file.read(0, 1)).toThrow(/small is closed/);
  });

  it('names a file that is missing or no file, and maps an empty one', () => {
    expect(() => new MappedFile(join(folder, 'absent'))).toThrow(/can't map .*absent: No such file/);
    expect(() => new MappedFile(folder)).toThrow(/Is a directory/);
    const path = fileOf('empty', 0, new Uint8Array());
    truncateSync(path, 0);
    const empty = new MappedFile(path);
    expect(empty.size).toBe(0);
    expect(empty.read(0, 0)).toHaveLength(0);
    expect(() => empty.read(0, 1)).toThrow(RangeError);
    empty.close();
  });
});

describe('narrowToF16', () => {
  it('is the inverse of widening', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, index) => index).filter(
      (bits) => !Number.isNaN(halfValue(bits)),
    );
    expect(narrowToF16(Float32Array.from(halves, halfValue))).toEqual(halves);
  });

  it('rounds to nearest even, in vectors and remainders alike', () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [1 + 3 * 2 ** -11, 0x3c02],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [-70000, 0xfc00],
      [2 ** -25, 0],
      [2 ** -25 + 2 ** -40, 1],
      [3 * 2 ** -25, 2],
      [-(2 ** -14) + 2 ** -26, 0x8400],
    ];
    for (const count of [1, 8, 19]) {
      for (const [value, bits] of cases) {
        expect([value, ...narrowToF16(new Float32Array(count).fill(value))]).toEqual([
          value,
          ...Array<number>(count).fill(bits),
        ]);
      }
    }
    expect(narrowToF16(Float32Array.of(NaN))[0]! & 0x7fff).toBeGreaterThan(0x7c00);
  });
});
