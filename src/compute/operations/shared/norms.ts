import type { CudaContext } from '../../lowering/cuda/context.js';
import type { Weight } from '../../weight.js';

/** A result: mean (1), variance (3), normalisation (2), weight and bias (2). */
export const NORM_FLOPS = 8;

export interface Scales {
  readonly weight: Weight;
  readonly bias: Weight;
}

/** The numbers of a norm's weight and bias on CUDA. */
export function placeScales(
  { weight, bias }: Scales,
  { weights }: CudaContext,
): { readonly weight: number; readonly bias: number } {
  return { weight: weights.vector([weight])!, bias: weights.vector([bias])! };
}
