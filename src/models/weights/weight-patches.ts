import type { LowRankProduct } from '../../compute/weight.js';

/** A change to one weight, as LoRA and its relatives describe it. */
export interface WeightPatch {
  /** Changes with the patch's content and strength. */
  readonly identity: string;
  /** Adds the patch to `values` (float32, row-major, of the weight's `shape`), in place. */
  apply(values: Float32Array, shape: readonly number[]): void;
  /** What it adds, where that is a product of two factors. */
  readonly product?: LowRankProduct | undefined;
}

/** Patches by the model part's own key (`input_blocks.1.1…to_q.weight`), applied in order. */
export type WeightPatches = ReadonlyMap<string, readonly WeightPatch[]>;
