import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TorchGenerator } from '../../../src/native/addon.js';
import { readTensors } from '../../compute/fixtures.js';

const golden = readTensors('test/fixtures/native/rng.safetensors');
const sequences = JSON.parse(readFileSync('test/fixtures/native/torch-generator.json', 'utf8')) as {
  readonly calls: readonly (readonly ['rand' | 'randn', number])[];
  readonly cases: readonly {
    readonly seed: string;
    readonly dtype: 'F64' | 'F32' | 'F16' | 'BF16';
    readonly sha256: string;
  }[];
};

function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function goldenBits(name: string): Uint32Array {
  return bits(golden[name]!.data as Float32Array);
}

describe('TorchGenerator', () => {
  it.each(Object.keys(golden).filter((name) => /^randn?\.\d+\.[\dx]+$/.test(name)))('makes %s', (name) => {
    const [call, seed, extents] = name.split('.') as ['rand' | 'randn', string, string];
    const count = extents.split('x').reduce((product, extent) => product * Number(extent), 1);
    const generator = new TorchGenerator(BigInt(seed));
    expect(bits(generator[call](count))).toEqual(goldenBits(name));
  });

  it('goes on where the last call ended', () => {
    const generator = new TorchGenerator(42n);
    for (const call of [0, 1, 2]) {
      expect(bits(generator.randn(256))).toEqual(goldenBits(`randn.42.1x4x8x8.call${call}`));
    }
  });

  it.each(sequences.cases)('draws $dtype in mixed calls from seed $seed as torch does', (sequence) => {
    const generator = new TorchGenerator(BigInt(sequence.seed));
    const hash = createHash('sha256');
    for (const [call, count] of sequences.calls) {
      const values: ArrayLike<number> =
        sequence.dtype === 'F64' ? generator[call](count, 'F64') : generator[call](count, sequence.dtype);
      hash.update(new Uint8Array(Float64Array.from(values).buffer));
    }
    expect(hash.digest('hex')).toBe(sequence.sha256);
  });

  it('takes seeds of 64 bits and refuses others', () => {
    expect(new TorchGenerator(-1n).random32()).toBe(new TorchGenerator(2n ** 64n - 1n).random32());
    expect(() => new TorchGenerator(2n ** 64n)).toThrow(RangeError);
    expect(() => new TorchGenerator(-(2n ** 63n) - 1n)).toThrow(RangeError);
    expect(() => new TorchGenerator(1 as unknown as bigint)).toThrow(new TypeError('seed must be a bigint'));
    expect(() => new TorchGenerator(1n).randn(-1)).toThrow(RangeError);
    expect(() => new TorchGenerator(1n).randn(2 ** 40)).toThrow(RangeError);
    expect(new TorchGenerator(1n).randn(0)).toHaveLength(0);
  });
});
