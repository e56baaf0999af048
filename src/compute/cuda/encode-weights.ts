/** Weights as the CUDA addon reads them (native/cuda/decode.cc), and what tells two of them apart. */
import { MappedFile } from '../../native/addon.js';
import { dtypeNames, dtypes, type StoredDType } from '../../native/dtypes.js';
import type { EncodedValues, EncodedWeightPart, EncodedWeights } from '../../native/cuda-addon.js';
import { CUDA_MOST_PRODUCTS } from '../../native/kernel-numbers.js';
import { elementCount } from '../tensor.js';
import { wholeUp, type LowRankProduct, type StoredValues, type Weight } from '../weight.js';
import { padded, type PackedWeight } from '../lowering/cuda/program.js';

/** Tensors that lie in a mapped file are named by their place there; all others are read now. */
export function encodeWeights(weights: readonly PackedWeight[]): EncodedWeights {
  return weights.map((entry) => ({
    rows: padded(entry.rows),
    columns: entry.columns,
    wide: entry.element === 'float',
    pairs: entry.layout === 'pairs',
    parts: entry.parts.map(encodePart),
  }));
}

function encodePart(part: Weight | number): EncodedWeightPart {
  if (typeof part === 'number') return { rows: part, channels: 1, taps: 1, format: numberOf('F32') };
  const { shape } = part;
  const extents = { rows: shape[0]!, channels: shape[1] ?? 1, taps: elementCount(shape.slice(2)) };
  const merged = mergeable(part);
  if (merged === undefined) return { ...extents, ...encodeValues(part) };
  const products = merged.products.map((product) => ({
    up: encodeValues(wholeUp(product, extents.rows)),
    down: encodeValues(product.down),
    rank: product.down.shape[0]!,
    factor: product.factor,
  }));
  return { ...extents, ...encodeStored(merged.base)!, products };
}

/** Low-rank products that the card adds, if it can. */
function mergeable({ merged }: Weight): Weight['merged'] {
  const fits =
    merged !== undefined && usedInPlace(merged.base) && merged.products.length <= CUDA_MOST_PRODUCTS;
  return fits ? merged : undefined;
}

function encodeValues(weight: Weight): EncodedValues {
  const stored = weight.stored && encodeStored(weight.stored);
  if (stored !== undefined) return stored;
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return { format: numberOf('F32'), values };
}

function encodeStored(stored: StoredValues): EncodedValues | undefined {
  const { file, offset, dtype } = stored;
  if (!usedInPlace(stored) || !(file instanceof MappedFile)) return undefined;
  return { format: numberOf(dtype), values: file.hold(), offset };
}

/** Whether the card reads the values from the file as they are: with scales of their own they are read here. */
function usedInPlace({ file, dtype, scale = 1, scales }: StoredValues): boolean {
  return dtypes[dtype].inPlace && scale === 1 && scales === undefined && file instanceof MappedFile;
}

/** How the addon knows a type. */
function numberOf(dtype: StoredDType): number {
  return dtypeNames.indexOf(dtype);
}

const files = new WeakMap<object, number>();
let fileCount = 0;

function fileNumber(file: object): number {
  const number = files.get(file) ?? ++fileCount;
  files.set(file, number);
  return number;
}

/** What says that two packed weights are the same, as far as that can be told without reading them. */
export function identityOf({ parts, layout }: PackedWeight): string | undefined {
  const names = parts.map((part) => (typeof part === 'number' ? `${part} zeros` : weightIdentity(part)));
  return names.includes(undefined) ? undefined : [layout, ...names].join(' ');
}

function weightIdentity(weight: Weight): string | undefined {
  const { shape, stored } = weight;
  if (stored !== undefined) return storedIdentity(stored, shape);
  const merged = mergeable(weight);
  if (merged === undefined) return undefined;
  const products = merged.products.map(productIdentity);
  if (products.includes(undefined)) return undefined;
  return [storedIdentity(merged.base, shape), ...products].join('+');
}

function storedIdentity(
  { file, offset, dtype, scale = 1, scales }: StoredValues,
  shape: readonly number[],
): string {
  const beside = scales === undefined ? '' : `:${scales.kind}:${scales.offset}:${scales.firstRow}`;
  return `${fileNumber(file)}:${offset}:${dtype}:${scale}${beside}:${shape.join('×')}`;
}

function productIdentity({ up, down, factor, rows }: LowRankProduct): string | undefined {
  const [left, right] = [weightIdentity(up), weightIdentity(down)];
  if (left === undefined || right === undefined) return undefined;
  return `${factor}·${left}·${right}${rows === undefined ? '' : `@${rows.start}+${rows.count}`}`;
}
