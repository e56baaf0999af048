import { elementCount } from '../../../compute/tensor.js';
import type { Weight } from '../../../compute/weight.js';
import { decompositionMismatch } from '../dora.js';
import { readValues, type LoraFile } from '../lora-file.js';
import { invert, multiply, swapFirstAxes, transpose, type Matrix } from '../matrix.js';
import { applyChange, countMismatch, type AdapterReader } from './adapter.js';

/**
 * OFT: blocks of outputs are turned by orthogonal matrices, the Cayley transform (I + Q)(I − Q)⁻¹ of skew-symmetric ones
 * (comfy/weight_adapter/oft.py, which counts the strength twice and leaves `rescale` alone).
 */
export const readOftAdapter: AdapterReader = (file, prefix, { alpha = 0, doraScale }) => {
  const blocks = blocksOfRank(file, prefix, 3);
  if (blocks === undefined) return undefined;
  file.find(`${prefix}.rescale`);
  const [count = 1, size = 1] = blocks.shape;

  function turned(values: Float32Array, weight: Weight, strength: number): Float32Array {
    const columns = values.length / (count * size);
    const change = new Float32Array(values.length);
    cayley(readValues(weight), count, size, alpha).forEach((rotation, block) => {
      const turn = transpose(plusIdentity(rotation, strength, -strength));
      const begin = block * size * columns;
      const slice = values.subarray(begin, begin + size * columns);
      change.set(multiply(turn, { rows: size, columns, values: slice }).values, begin);
    });
    return change;
  }

  return {
    mismatch: (shape) =>
      countMismatch(count * size, shape.slice(0, 1)) ?? decompositionMismatch(doraScale, shape),
    apply(values, shape, strength) {
      const scale = doraScale === undefined ? 1 : alpha;
      applyChange(values, shape, turned(values, blocks, strength), { scale, doraScale, strength });
    },
  };
};

/**
 * BOFT: several such turns in a row, each over outputs taken in another order, like the butterflies of an FFT
 * (comfy/weight_adapter/boft.py; without an alpha that code fails, so such files are refused).
 */
export const readBoftAdapter: AdapterReader = (file, prefix, { alpha, doraScale }) => {
  const blocks = blocksOfRank(file, prefix, 4);
  if (blocks === undefined) return undefined;
  const rescale = file.find(`${prefix}.rescale`);
  const [turns = 1, count = 1, size = 1] = blocks.shape;

  function turned(values: Float32Array, weight: Weight, strength: number): Float32Array {
    const rows = count * size;
    const columns = values.length / rows;
    const rotations = cayley(readValues(weight), turns * count, size, alpha ?? 0);
    let current = values;
    for (let turn = 0; turn < turns; turn++) {
      const spread = 2 ** turn * Math.floor(size / 2);
      const groups = rows / (2 * spread);
      const ordered = reorder(current, groups, 2, spread, columns);
      const product = new Float32Array(values.length);
      for (let block = 0; block < count; block++) {
        const rotation = plusIdentity(rotations[turn * count + block]!, strength, 1 - strength);
        const begin = block * size * columns;
        const slice = ordered.subarray(begin, begin + size * columns);
        product.set(multiply(rotation, { rows: size, columns, values: slice }).values, begin);
      }
      current = reorder(product, groups, spread, 2, columns);
    }
    return current;
  }

  return {
    mismatch(shape) {
      if (alpha === undefined) return 'a BOFT adapter needs an alpha';
      const rows = shape.slice(0, 1);
      return (
        countMismatch(count * size, rows) ??
        (rescale === undefined ? undefined : countMismatch(elementCount(rescale.shape), rows)) ??
        decompositionMismatch(doraScale, shape)
      );
    },
    apply(values, shape, strength) {
      const result = turned(values, blocks, strength);
      const factors = rescale === undefined ? undefined : readValues(rescale);
      const columns = values.length / (count * size);
      const change = result.map((value, index) => {
        const factor = factors?.[Math.floor(index / columns)] ?? 1;
        return Math.fround(value * factor) - values[index]!;
      });
      const scale = doraScale === undefined ? 1 : (alpha ?? 0);
      applyChange(values, shape, change, { scale, doraScale, strength });
    },
  };
};

function blocksOfRank(file: LoraFile, prefix: string, rank: number): Weight | undefined {
  const key = `${prefix}.oft_blocks`;
  return file.shape(key)?.length === rank ? file.require(key) : undefined;
}

/** (I + Q)(I − Q)⁻¹ of each block, Q = B − Bᵀ, all of them scaled down together when their norm exceeds `constraint`. */
function cayley(blocks: Float32Array, count: number, size: number, constraint: number): Matrix[] {
  const skew = new Float32Array(blocks.length);
  let squares = 0;
  for (let block = 0; block < count; block++) {
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const at = (block * size + row) * size + column;
        skew[at] = blocks[at]! - blocks[(block * size + column) * size + row]!;
        squares += skew[at] ** 2;
      }
    }
  }
  const norm = Math.sqrt(squares) + 1e-8;
  const shrink = constraint > 0 && norm > constraint ? constraint / norm : 1;
  return Array.from({ length: count }, (_, block) => {
    const plus = skew.slice(block * size * size, (block + 1) * size * size).map((value) => value * shrink);
    const minus = plus.map((value) => -value);
    for (let i = 0; i < size; i++) {
      plus[i * size + i]! += 1;
      minus[i * size + i]! += 1;
    }
    return multiply(
      { rows: size, columns: size, values: plus },
      { rows: size, columns: size, values: invert(minus, size) },
    );
  });
}

/** factor·R + rest·I */
function plusIdentity({ rows, columns, values }: Matrix, factor: number, rest: number): Matrix {
  const sum = values.map((value) => value * factor);
  for (let i = 0; i < rows; i++) sum[i * columns + i]! += rest;
  return { rows, columns, values: sum };
}

/** Rows seen as groups×a×b, turned to groups×b×a. */
function reorder(values: Float32Array, groups: number, a: number, b: number, columns: number): Float32Array {
  const ordered = new Float32Array(values.length);
  const length = a * b * columns;
  for (let group = 0; group < groups; group++) {
    const slice = values.subarray(group * length, (group + 1) * length);
    ordered.set(swapFirstAxes(slice, a, b, columns), group * length);
  }
  return ordered;
}
