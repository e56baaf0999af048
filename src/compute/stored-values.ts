/** Stored values as float32, as kernels widen them. */
import { bytesOf } from '../native/dtypes.js';
import type { ScalesBeside, StoredValues } from './weight.js';

export function readStored(stored: StoredValues, into: Float32Array): void {
  const { file, offset, dtype, scale = 1, scales } = stored;
  if (dtype === 'F4') readFourBits(stored, into);
  else file.widen(offset, dtype, into);
  const { fround } = Math;
  const factor = fround(scale);
  if (scales === undefined || scales.kind === 'one' || scales.kind === 'none') {
    if (factor !== 1) into.forEach((value, index) => (into[index] = value * factor));
    return;
  }
  const { block, each } = scaleReader(stored, scales, into.length);
  const { rowLength, firstRow } = scales;
  for (let start = 0; start < into.length; start += block) {
    const by = fround(factor * each(firstRow + Math.floor(start / rowLength), (start % rowLength) / block));
    for (let at = start; at < start + block; at++) into[at]! *= by;
  }
}

/** Rows [start, start + …) of stored values, as long as whole rows are whole bytes. */
export function storedRows(values: StoredValues, start: number, rowLength: number): StoredValues {
  const { scales, offset, dtype } = values;
  return {
    ...values,
    offset: offset + bytesOf(dtype, start * rowLength),
    ...(scales === undefined ? {} : { scales: { ...scales, firstRow: scales.firstRow + start } }),
  };
}

/** The eight magnitudes of e2m1. */
const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** Two in a byte, the first in its upper half. */
function readFourBits({ file, offset }: StoredValues, into: Float32Array): void {
  const packed = new Float32Array(into.length / 2);
  file.widen(offset, 'U8', packed);
  packed.forEach((byte, index) => {
    [byte >> 4, byte & 15].forEach((code, half) => {
      into[2 * index + half] = (code & 8 ? -1 : 1) * magnitudes[code & 7]!;
    });
  });
}

/** Values that share a scale, and a row's scale of one of its blocks. */
function scaleReader(
  { file }: StoredValues,
  { kind, offset, rowLength, firstRow }: ScalesBeside,
  count: number,
): { readonly block: number; readonly each: (row: number, block: number) => number } {
  const rows = firstRow + count / rowLength;
  if (kind === 'rows') {
    const scales = new Float32Array(rows);
    file.widen(offset, 'F32', scales);
    return { block: rowLength, each: (row) => scales[row]! };
  }
  const block = kind === 'blocks_of16' ? 16 : 32;
  const tileColumns = Math.ceil(rowLength / block / 4);
  // Tiles of 128 rows × 4 blocks, as cuBLAS takes them.
  const tiled = new Float32Array(Math.ceil(rows / 128) * tileColumns * 512);
  file.widen(offset, kind === 'blocks_of16' ? 'F8_E4M3' : 'F8_E8M0', tiled);
  return {
    block,
    each(row, at) {
      const tile = Math.floor(row / 128) * tileColumns + (at >> 2);
      const within = row % 128;
      return tiled[tile * 512 + (within % 32) * 16 + (within >> 5) * 4 + (at & 3)]!;
    },
  };
}
