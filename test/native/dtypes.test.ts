import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MappedFile, nativeDTypes } from '../../src/native/addon.js';
import { bytesOf, dtypeNames, dtypes, type StoredDType } from '../../src/native/dtypes.js';
import { codeValue } from '../support/codes.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-dtypes-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function widened(dtype: StoredDType, data: ArrayBufferView, count: number): Float32Array {
  const path = join(folder, dtype);
  writeFileSync(path, Buffer.concat([Buffer.alloc(1), new Uint8Array(data.buffer)]));
  const file = new MappedFile(path);
  const values = new Float32Array(count);
  file.widen(1, dtype, values);
  file.close();
  return values;
}

const codes = Uint8Array.from({ length: 256 }, (_, code) => code);

describe('the table of number types', () => {
  it('is the same in TypeScript and C++, in the same order', () => {
    const rows = dtypeNames.map((name) => {
      const { blockValues, blockBytes, widens, inPlace } = dtypes[name];
      return { name, blockValues, blockBytes, widens, inPlace };
    });
    expect(nativeDTypes).toEqual(rows);
    expect(rows.every(({ blockValues }) => Number.isInteger(Math.log2(blockValues)))).toBe(true);
  });

  it('counts whole blocks', () => {
    expect(bytesOf('F32', 3)).toBe(12);
    expect(bytesOf('F4', 6)).toBe(3);
    expect(bytesOf('F6_E2M3', 8)).toBe(6);
  });
});

describe('widening', () => {
  it.each(['F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'] as const)(
    'gives every code of %s',
    (dtype) => {
      expect(widened(dtype, codes, 256)).toEqual(Float32Array.from(codes, (code) => codeValue(dtype, code)));
    },
  );

  it('gives the powers of two of F8_E8M0', () => {
    const expected = Float32Array.from(codes, (code) => (code === 255 ? NaN : 2 ** (code - 127)));
    expect(widened('F8_E8M0', codes, 256)).toEqual(expected);
  });

  it.each([
    ['I64', BigInt64Array.of(-3n, 2n ** 60n + 1n)],
    ['U64', BigUint64Array.of(7n, 2n ** 64n - 1n)],
    ['I32', Int32Array.of(-(2 ** 31), 16777217)],
    ['U32', Uint32Array.of(2 ** 32 - 1, 3)],
    ['I16', Int16Array.of(-32768, 5)],
    ['U16', Uint16Array.of(65535, 5)],
    ['I8', Int8Array.of(-128, 127)],
    ['U8', Uint8Array.of(255, 0)],
  ] as const)('rounds the whole numbers of %s', (dtype, numbers) => {
    expect(widened(dtype, numbers, 2)).toEqual(Float32Array.from(numbers, Number));
  });

  it('takes every byte but 0 for true', () => {
    expect(widened('BOOL', Uint8Array.of(0, 1, 2), 3)).toEqual(Float32Array.of(0, 1, 1));
  });

  it.each(['F4', 'F6_E3M2', 'C64'] as const)('refuses %s, of which only the size is known', (dtype) => {
    expect(() => widened(dtype, codes, 4)).toThrow(
      new TypeError(`values of the type ${dtype} can't be read`),
    );
  });
});
