/** Model files made for a test. */
import { closeSync, copyFileSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { elementCount } from '../../src/compute/tensor.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import type { Manifest } from './synthetic.js';
import type { StoredDType } from '../../src/native/dtypes.js';

export interface TensorBytes {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Writes tensors as a safetensors file, in their order. */
export function writeSafetensors(path: string, tensors: Readonly<Record<string, TensorBytes>>): void {
  let end = 0;
  const entries = Object.entries(tensors).map(([key, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.length;
    return [key, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const parts = Object.values(tensors).map(({ bytes }) => bytes);
  writeFileSync(path, Buffer.concat([headerOf(Object.fromEntries(entries)), ...parts]));
}

export function f32(shape: readonly number[], values: readonly number[]): TensorBytes {
  return { dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** All tensors of a file. */
export function readTensors(path: string): Record<string, TensorBytes> {
  const { file, tensors } = openSafetensors(path);
  const read = [...tensors].map(
    ([key, { dtype, shape, offset, byteLength }]) =>
      [key, { dtype, shape, bytes: file.read(offset, byteLength) }] as const,
  );
  file.close();
  return Object.fromEntries(read);
}

const bytesOf = { F16: 2, BF16: 2, F32: 4, I64: 8, U8: 1 } as const;

/** Writes a checkpoint of which only the header takes room on the disk; all values are zero. */
export function writeHollowCheckpoint(manifest: Manifest, path: string): void {
  let end = 0;
  const entries = Object.entries(manifest).map(([key, [dtype, shape]]) => {
    const begin = end;
    end += elementCount(shape) * bytesOf[dtype];
    return [key, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const header = headerOf(Object.fromEntries(entries));
  const file = openSync(path, 'w');
  writeSync(file, header);
  ftruncateSync(file, header.length + end);
  closeSync(file);
}

/** Copies a checkpoint with the values of some F16 tensors multiplied by powers of two. */
export function copyScaled(from: string, to: string, factors: Readonly<Record<string, number>>): void {
  copyFileSync(from, to);
  const { file, tensors } = openSafetensors(from);
  const copy = openSync(to, 'r+');
  for (const [key, factor] of Object.entries(factors)) {
    const { offset, byteLength } = tensors.get(key)!;
    const bits = new Uint16Array(Uint8Array.from(file.read(offset, byteLength)).buffer);
    // A power of two only moves the exponent.
    const scaled = bits.map((word) => word + (Math.log2(factor) << 10));
    writeSync(copy, new Uint8Array(scaled.buffer), 0, byteLength, offset);
  }
  closeSync(copy);
  file.close();
}

function headerOf(entries: object): Buffer {
  const json = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}
