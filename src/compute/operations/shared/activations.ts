import type { Activation } from '../../epilogue.js';

/** FLOPs for each element: silu is x / (1 + exp(−x)), gelu x/2·(1 + erf(x/√2)). */
export const ACTIVATION_FLOPS: Readonly<Record<Activation, number>> = {
  relu: 1,
  tanh: 1,
  sigmoid: 4,
  silu: 4,
  quick_gelu: 4,
  gelu: 5,
  gelu_tanh: 9,
};
