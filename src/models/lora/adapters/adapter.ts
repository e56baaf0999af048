import { elementCount } from '../../../compute/tensor.js';
import type { LowRankProduct, Weight } from '../../../compute/weight.js';
import { addScaled } from '../../../native/addon.js';
import { decompose, decompositionMismatch } from '../dora.js';
import type { LoraFile } from '../lora-file.js';

/** A change to one weight as a LoRA file describes it, before its strength (ComfyUI comfy/weight_adapter). */
export interface Adapter {
  /** Why it can't change a weight of that shape; nothing when it can. */
  mismatch(shape: readonly number[]): string | undefined;
  /** Set when it counts at strength 0, too. */
  readonly replaces?: true;
  /** What it adds at strength 1, where that is a product of two factors. */
  readonly product?: LowRankProduct | undefined;
  /** Adds the change, `strength` times, to a weight's values in place. */
  apply(values: Float32Array, shape: readonly number[], strength: number): void;
}

/** What a LoRA file may say beside any kind of adapter. */
export interface AdapterOptions {
  /** The file's `alpha`: the change is multiplied by alpha / rank. */
  readonly alpha: number | undefined;
  /** DoRA's magnitudes. */
  readonly doraScale: Weight | undefined;
}

/** Reads the adapter for the keys that begin with `prefix`, if the file has one of this kind there. */
export type AdapterReader = (file: LoraFile, prefix: string, options: AdapterOptions) => Adapter | undefined;

/** What most kinds come down to: a difference of the weight's own size. */
export interface Difference {
  readonly count: number;
  /** Factor of the difference, alpha / rank mostly. */
  readonly scale: number;
  readonly doraScale: Weight | undefined;
  /** The difference, row-major, before the factor. `values` is the weight with what was added before. */
  compute(values: Float32Array, shape: readonly number[]): Float32Array;
}

/** An adapter that adds strength · scale · difference, or decomposes that sum as DoRA does. */
export function differenceAdapter(difference: Difference): Adapter {
  const { count, scale, doraScale } = difference;
  return {
    mismatch: (shape) => countMismatch(count, shape) ?? decompositionMismatch(doraScale, shape),
    apply(values, shape, strength) {
      applyChange(values, shape, difference.compute(values, shape), { scale, doraScale, strength });
    },
  };
}

/** values += strength · scale · change, or DoRA's decomposition of that sum. `change` may be used up. */
export function applyChange(
  values: Float32Array,
  shape: readonly number[],
  change: Float32Array,
  { scale, doraScale, strength }: { scale: number; doraScale: Weight | undefined; strength: number },
): void {
  if (doraScale === undefined) addScaled(values, change, strength * scale);
  else decompose(values, shape, change, { doraScale, scale, strength });
}

export function countMismatch(count: number, shape: readonly number[]): string | undefined {
  if (count === elementCount(shape)) return undefined;
  return `it has ${count} values, the weight has [${shape.join(', ')}]`;
}
