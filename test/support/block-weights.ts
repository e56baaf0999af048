/** Weights of types whose values share scales, of random blocks. */
import { writeFileSync } from 'node:fs';
import { elementCount } from '../../src/compute/tensor.js';
import type { Weight } from '../../src/compute/weight.js';
import { MappedFile, narrowToF16 } from '../../src/native/addon.js';
import { bytesOf, dtypeNames, dtypes, type StoredDType } from '../../src/native/dtypes.js';

export const blockTypes = dtypeNames.filter((name) => dtypes[name].inPlace && dtypes[name].blockValues > 1);

/** Where a block has its float16 scales (ggml-common.h). */
const scales: Readonly<Record<string, readonly number[]>> = {
  Q4_1: [0, 2],
  Q5_1: [0, 2],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/** Blocks of no pattern whose values are about as large as a layer's weights. */
export function randomBlocks(dtype: StoredDType, values: number, seed: number): Uint8Array {
  const { blockBytes, blockValues } = dtypes[dtype];
  let state = seed >>> 0;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  const bytes = Uint8Array.from({ length: bytesOf(dtype, values) }, () => random() >>> 24);
  // Codes of eight bits that are numbers, small ones.
  if (blockValues === 1) return bytes.map((byte) => byte & 0xb7);
  const halves = narrowToF16(
    Float32Array.from({ length: 64 }, () => ((random() >>> 8) / 2 ** 24 - 0.5) * 2e-3),
  );
  const view = new DataView(bytes.buffer);
  for (let block = 0, next = 0; block < bytes.length; block += blockBytes) {
    for (const at of scales[dtype.replace('_F32', '')] ?? [0]) {
      view.setUint16(block + at, halves[next++ % halves.length]!, true);
    }
  }
  return bytes;
}

/** A weight in a file of its own, at an odd byte. */
export function blockWeight(
  path: string,
  dtype: StoredDType,
  shape: readonly number[],
  { seed = 1, scale }: { readonly seed?: number; readonly scale?: number } = {},
): Weight & { readonly file: MappedFile } {
  const offset = 3;
  const blocks = randomBlocks(dtype, elementCount(shape), seed);
  writeFileSync(path, Buffer.concat([Buffer.alloc(offset), blocks]));
  const file = new MappedFile(path);
  return {
    name: path,
    shape,
    file,
    read(into) {
      file.widen(offset, dtype, into);
      if (scale !== undefined) into.forEach((value, index) => (into[index] = value * scale));
    },
    stored: { file, offset, dtype, ...(scale === undefined ? {} : { scale }) },
  };
}
