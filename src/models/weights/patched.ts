/** Weights with LoRAs and their kin on top. */
import { createHash } from 'node:crypto';
import type { MergedValues, Weight } from '../../compute/weight.js';
import { joinedRows } from './joined-rows.js';
import { roundToHalf } from './rounding.js';
import type { WeightPatch, WeightPatches } from './weight-patches.js';
import type { WeightSource } from './weight-source.js';
import { productOfRows, rowsOf } from './weight-views.js';

/** `source` with patches added to the weights that they name; patches for other keys are ignored. */
export function patched(source: WeightSource, patches: WeightPatches): WeightSource {
  if (patches.size === 0) return source;
  const digest = createHash('sha256');
  for (const [key, list] of patches) {
    digest.update(JSON.stringify([key, ...list.map((patch) => patch.identity)]));
  }
  const weight = (key: string): Weight => {
    const base = source.weight(key);
    const list = patches.get(key);
    return list === undefined || list.length === 0 ? base : patchedWeight(base, list);
  };
  return {
    path: source.path,
    unpatched: source.unpatched ?? source,
    identity: `${source.identity}+${digest.digest('hex').slice(0, 32)}`,
    keys: () => source.keys(),
    has: (key) => source.has(key),
    weight,
    rows: (key, start, count) =>
      patches.has(key) ? rowsOf(weight(key), start, count) : source.rows(key, start, count),
  };
}

function patchedWeight(base: Weight, patches: readonly WeightPatch[]): Weight {
  const { name, shape, patchedAs } = base;
  const merged = patchedAs === undefined ? mergedValues(base, patches) : undefined;
  const whole: Weight = {
    name,
    shape,
    read(into) {
      base.read(into);
      for (const patch of patches) patch.apply(into, shape);
      if (patchedAs === 'F16') roundToHalf(into);
    },
    ...(merged === undefined ? {} : { merged }),
  };
  const parts = partsWithProducts(base, whole, patches);
  return parts === undefined ? whole : joinedRows(name, parts);
}

/** Stored values and products of as many rows; undefined where a patch, or the base, is something else. */
function mergedValues(base: Weight, patches: readonly WeightPatch[]): MergedValues | undefined {
  const known = base.merged ?? (base.stored && { base: base.stored, products: [] });
  const products = patches.map(({ product }) => product).filter((product) => product !== undefined);
  const fit = products.every(({ up, rows }) => up.shape[0] === (rows?.count ?? base.shape[0]));
  if (known === undefined || products.length < patches.length || !fit) return undefined;
  return { base: known.base, products: [...known.products, ...products] };
}

/** Parts of a joined weight, each with its rows of the products; undefined where a patch, or a part, is something else. */
function partsWithProducts(
  base: Weight,
  whole: Weight,
  patches: readonly WeightPatch[],
): readonly Weight[] | undefined {
  if (base.parts === undefined) return undefined;
  const products = patches.map(({ product }) => product).filter((product) => product !== undefined);
  if (products.length < patches.length) return undefined;
  if (products.some(({ up, rows: own }) => up.shape[0] !== (own?.count ?? base.shape[0]))) return undefined;
  let first = 0;
  const patchedParts: Weight[] = [];
  for (const part of base.parts) {
    const [start, count] = [first, part.shape[0]!];
    first += count;
    const own = products.flatMap((product) => productOfRows(product, start, count) ?? []);
    if (own.length === 0) {
      patchedParts.push(part);
      continue;
    }
    const known = part.merged ?? (part.stored && { base: part.stored, products: [] });
    if (known === undefined) return undefined;
    patchedParts.push({
      name: part.name,
      shape: part.shape,
      merged: { base: known.base, products: [...known.products, ...own] },
      read: (into) => {
        into.set(rowsOf(whole, start, count));
      },
    });
  }
  return patchedParts;
}
