import type { WeightPatch } from './weight-patches.js';
import type { WeightSource } from './weight-source.js';
import { valuesOf } from './weight-values.js';

/** own·(the weight) + other·(the same one elsewhere). */
export interface MergeShares {
  readonly own: number;
  readonly other: number;
}

export interface Merge {
  readonly patches: ReadonlyMap<string, readonly WeightPatch[]>;
  /** Keys whose shapes differ, which ComfyUI leaves as they are but for `own`. */
  readonly misfits: readonly string[];
}

/**
 * Patches that mix `other`'s weights into those of `own` that have the same key (ComfyUI comfy/model_patcher.py, add_patches with another
 * model's get_key_patches, and comfy/lora.py, calculate_weight). `sharesOf` answers undefined for keys that stay. Weights are read when
 * those that they change are loaded.
 */
export function mergePatches(
  own: WeightSource,
  other: WeightSource,
  sharesOf: (key: string) => MergeShares | undefined,
): Merge {
  const patches = new Map<string, readonly WeightPatch[]>();
  const misfits: string[] = [];
  for (const key of other.keys()) {
    const shares = own.has(key) ? sharesOf(key) : undefined;
    if (shares === undefined) continue;
    const weight = other.weight(key);
    const isFitting = own.weight(key).shape.join() === weight.shape.join();
    if (!isFitting) misfits.push(key);
    patches.set(key, [
      {
        identity: `merge ${other.identity} ${key} ${shares.own} ${shares.other}`,
        apply(values) {
          scale(values, shares.own);
          if (!isFitting || shares.other === 0) return;
          const factor = Math.fround(shares.other);
          valuesOf(weight).forEach((value, index) => {
            values[index]! += Math.fround(value * factor);
          });
        },
      },
    ]);
  }
  return { patches, misfits };
}

/** Patches that multiply weights by `factorOf` their keys; undefined leaves a weight. */
export function scalingPatches(
  source: WeightSource,
  factorOf: (key: string) => number | undefined,
): ReadonlyMap<string, readonly WeightPatch[]> {
  const patches = new Map<string, readonly WeightPatch[]>();
  for (const key of source.keys()) {
    const factor = factorOf(key);
    if (factor === undefined || factor === 1) continue;
    patches.set(key, [
      {
        identity: `times ${factor}`,
        apply(values) {
          scale(values, factor);
        },
      },
    ]);
  }
  return patches;
}

function scale(values: Float32Array, factor: number): void {
  if (factor === 1) return;
  const rounded = Math.fround(factor);
  for (let index = 0; index < values.length; index++) values[index]! *= rounded;
}
