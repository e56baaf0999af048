/** Other ways to look at named weights: part of them, under other names, cut, turned or joined. */
import { elementCount } from '../../compute/tensor.js';
import { readStored, storedRows } from '../../compute/stored-values.js';
import type { LowRankProduct, StoredValues, Weight } from '../../compute/weight.js';
import { dtypes } from '../../native/dtypes.js';
import { ModelError } from '../model-error.js';
import { joinedRows } from './joined-rows.js';
import type { WeightSource } from './weight-source.js';

/** The weights whose keys begin with `prefix`, without it. */
export function underPrefix(source: WeightSource, prefix: string): WeightSource {
  if (prefix === '') return source;
  return {
    path: source.path,
    identity: `${source.identity}/${prefix}`,
    *keys() {
      for (const key of source.keys()) if (key.startsWith(prefix)) yield key.slice(prefix.length);
    },
    has: (key) => source.has(prefix + key),
    weight: (key) => source.weight(prefix + key),
    rows: (key, start, count) => source.rows(prefix + key, start, count),
  };
}

/** How a weight of a derived source is made from one of its base. */
export interface Derivation {
  /** The base's key. */
  readonly from: string;
  /** Only these rows of the first axis. */
  readonly rows?: { readonly start: number; readonly count: number };
  /** Only these columns of a matrix. */
  readonly columns?: { readonly start: number; readonly count: number };
  /** Turns a matrix, after any cut. */
  readonly transposed?: boolean;
  /** The same values in another shape (1×1 convolutions as linear layers, and back). */
  readonly shape?: readonly number[];
}

/**
 * Weights under new names, each made from one of `source`, or from rows of several; a string stands for plain renaming. `kind` tells this view from
 * others of the same source (program caches go by it).
 */
export function derived(
  source: WeightSource,
  kind: string,
  derivations: ReadonlyMap<string, string | Derivation | readonly Derivation[]>,
): WeightSource {
  const find = (key: string): Derivation | readonly Derivation[] => {
    const derivation = derivations.get(key);
    if (derivation === undefined) {
      throw new ModelError(`${source.path} has no tensor for ${key} (${kind})`);
    }
    return typeof derivation === 'string' ? { from: derivation } : derivation;
  };
  const weight = (key: string): Weight => {
    const made = [find(key)].flat().map((each) => derivedWeight(source.weight(each.from), each));
    return joinedRows(key, made);
  };
  return {
    path: source.path,
    identity: `${source.identity}/${kind}`,
    keys: () => derivations.keys(),
    has: (key) => derivations.has(key),
    weight,
    rows(key, start, count) {
      const [derivation, ...others] = [find(key)].flat();
      const { from, rows, columns, transposed, shape } = derivation!;
      if (others.length > 0 || columns !== undefined || transposed === true || shape !== undefined) {
        return rowsOf(weight(key), start, count);
      }
      return source.rows(from, (rows?.start ?? 0) + start, count);
    },
  };
}

function derivedWeight(base: Weight, { rows, columns, transposed, shape }: Derivation): Weight {
  let weight = base;
  if (rows !== undefined) weight = rowSlice(weight, rows.start, rows.count);
  if (columns !== undefined) weight = columnSlice(weight, columns.start, columns.count);
  if (transposed === true) weight = transpose(weight);
  return shape === undefined ? weight : reshape(weight, shape);
}

/** Rows of the first axis. They lie together, so what is stored stays so. */
export function rowSlice(weight: Weight, start: number, count: number): Weight {
  const [rows = 0, ...rest] = weight.shape;
  requireRange(weight, 'rows', start, count, rows);
  if (weight.parts !== undefined) return joinedRows(weight.name, slicesOf(weight.parts, start, count));
  const rowLength = elementCount(rest);
  const { stored, merged } = weight;
  const cut = (values: StoredValues): StoredValues => storedRows(values, start, rowLength);
  const part = {
    name: `${weight.name}[${start}:${start + count}]`,
    shape: [count, ...rest],
    read(into: Float32Array) {
      if (stored === undefined) into.set(rowsOf(weight, start, count));
      else readStored(cut(stored), into);
    },
  };
  if (stored !== undefined) return { ...part, stored: cut(stored) };
  if (merged === undefined) return part;
  const products = merged.products.flatMap((product) => productOfRows(product, start, count) ?? []);
  const base = cut(merged.base);
  if (products.length > 0) return { ...part, merged: { base, products } };
  return {
    ...part,
    stored: base,
    read: (into) => {
      readStored(base, into);
    },
  };
}

/** What of a product is added to rows [start, start + count); undefined where that is nothing. */
export function productOfRows(
  product: LowRankProduct,
  start: number,
  count: number,
): LowRankProduct | undefined {
  const { up, down, factor, rows: own = { start: 0, count: up.shape[0]! } } = product;
  const from = Math.max(start, own.start);
  const to = Math.min(start + count, own.start + own.count);
  if (from >= to) return undefined;
  const part = { down, factor, up: rowSlice(up, from - own.start, to - from) };
  return to - from === count ? part : { ...part, rows: { start: from - start, count: to - from } };
}

/** What of some weights, taken one after the other, are rows [start, start + count). */
function slicesOf(parts: readonly Weight[], start: number, count: number): Weight[] {
  let first = 0;
  return parts.flatMap((part) => {
    const rows = part.shape[0]!;
    const [from, to] = [Math.max(start - first, 0), Math.min(start + count - first, rows)];
    first += rows;
    if (from >= to) return [];
    return to - from === rows ? [part] : [rowSlice(part, from, to - from)];
  });
}

/** Columns of a matrix. */
export function columnSlice(weight: Weight, start: number, count: number): Weight {
  const [rows, columns] = matrixShape(weight);
  requireRange(weight, 'columns', start, count, columns);
  return {
    name: `${weight.name}[:, ${start}:${start + count}]`,
    shape: [rows, count],
    read(into) {
      const whole = readAll(weight);
      for (let row = 0; row < rows; row++) {
        const from = row * columns + start;
        into.set(whole.subarray(from, from + count), row * count);
      }
    },
  };
}

export function transpose(weight: Weight): Weight {
  const [rows, columns] = matrixShape(weight);
  return {
    name: `${weight.name}ᵀ`,
    shape: [columns, rows],
    read(into) {
      const whole = readAll(weight);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          into[column * rows + row] = whole[row * columns + column]!;
        }
      }
    },
  };
}

/** The same values in another shape of as many. Throws `ModelError` when the counts differ. */
export function reshape(weight: Weight, shape: readonly number[]): Weight {
  if (elementCount(shape) !== elementCount(weight.shape)) {
    throw new ModelError(
      `${weight.name} has the shape [${weight.shape.join(', ')}], which can't be read as [${shape.join(', ')}]`,
    );
  }
  const { merged, ...rest } = weight;
  return {
    ...rest,
    ...(merged === undefined || shape[0] !== weight.shape[0] ? {} : { merged }),
    shape,
    read: (into) => {
      weight.read(into);
    },
  };
}

function readAll(weight: Weight): Float32Array {
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  return values;
}

/** Rows of a weight: read from where they lie, or cut from the whole of what is computed. */
export function rowsOf(weight: Weight, start: number, count: number): Float32Array {
  const [rows = 0, ...rest] = weight.shape;
  requireRange(weight, 'rows', start, count, rows);
  const rowLength = elementCount(rest);
  const { stored } = weight;
  if (stored !== undefined && rowLength % dtypes[stored.dtype].blockValues === 0) {
    const values = new Float32Array(count * rowLength);
    readStored(storedRows(stored, start, rowLength), values);
    return values;
  }
  return readAll(weight).slice(start * rowLength, (start + count) * rowLength);
}

function matrixShape(weight: Weight): readonly [rows: number, columns: number] {
  const [rows, columns] = weight.shape;
  if (rows === undefined || columns === undefined || weight.shape.length !== 2) {
    throw new ModelError(`${weight.name} should be a matrix, has the shape [${weight.shape.join(', ')}]`);
  }
  return [rows, columns];
}

function requireRange(weight: Weight, what: string, start: number, count: number, extent: number): void {
  if (start < 0 || count < 0 || start + count > extent) {
    throw new ModelError(
      `${weight.name} has the shape [${weight.shape.join(', ')}], ${what} ${start} to ${start + count} are not in it`,
    );
  }
}
