/** GGUF files made for a test, with blocks as the gguf package makes them (gguf-py quants.py, Q8_0). */
import { writeFileSync } from 'node:fs';
import { elementCount } from '../../src/compute/tensor.js';
import { narrowToF16 } from '../../src/native/addon.js';

export interface GgufTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly type: 'F32' | 'Q8_0';
}

/** Writes a file of version 3 that says which architecture it is. */
export function writeGguf(
  path: string,
  architecture: string,
  tensors: Readonly<Record<string, GgufTensor>>,
): void {
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const bytes = tensor.type === 'F32' ? new Uint8Array(tensor.values.slice().buffer) : toQ8(tensor.values);
    return { name, ...tensor, bytes, place: aligned(bytes.length) };
  });
  let offset = 0;
  const listed = entries.map(({ name, shape, type, place }) => {
    const at = offset;
    offset += place;
    const extents = [...shape].reverse().map(u64);
    return Buffer.concat([text(name), u32(shape.length), ...extents, u32(type === 'F32' ? 0 : 8), u64(at)]);
  });
  const field = Buffer.concat([text('general.architecture'), u32(8), text(architecture)]);
  const counts = [u32(3), u64(entries.length), u64(1)];
  const header = Buffer.concat([Buffer.from('GGUF'), ...counts, field, ...listed]);
  const padded = entries.map(({ bytes, place }) =>
    Buffer.concat([bytes, Buffer.alloc(place - bytes.length)]),
  );
  writeFileSync(
    path,
    Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length), ...padded]),
  );
}

/** What a tensor of Q8_0 stands for with products in float16: 34 bytes for 32 values. */
function toQ8(values: Float32Array): Uint8Array {
  const blocks = new Uint8Array((values.length / 32) * 34);
  const view = new DataView(blocks.buffer);
  for (let block = 0; block < values.length / 32; block++) {
    const part = values.subarray(block * 32, block * 32 + 32);
    const scale = Math.fround(part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127);
    view.setUint16(block * 34, narrowToF16(Float32Array.of(scale))[0]!, true);
    part.forEach((value, index) => {
      view.setInt8(block * 34 + 2 + index, scale === 0 ? 0 : Math.round(value / scale));
    });
  }
  return blocks;
}

/** Whether rows are whole blocks of Q8_0. */
export function fitsQ8(shape: readonly number[]): boolean {
  return shape.length === 2 && shape[1]! % 32 === 0 && elementCount(shape) > 1024;
}

const aligned = (bytes: number): number => Math.ceil(bytes / 32) * 32;

function text(value: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
