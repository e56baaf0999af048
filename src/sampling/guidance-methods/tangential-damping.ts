import { combineValues } from '../../imaging/tensor-ops.js';
import type { GuidanceInput } from '../../models/denoiser/guidance.js';
import { mapRows, rowProducts } from './rows.js';

/**
 * Keeps of the negative prompt's direction only what runs along both prompts' common one. Kwon et al., "TCFG: Tangential Damping
 * Classifier-free Guidance", 2025 (ComfyUI comfy_extras/nodes_tcfg.py: the first right singular vector of both, stacked).
 */
export function tangentialDamping({
  x,
  cond,
  uncond,
  hasUncond,
}: GuidanceInput): Pick<GuidanceInput, 'cond' | 'uncond'> {
  if (!hasUncond) return { cond, uncond };
  const positive = combineValues(x, cond, (a, b) => a - b);
  const negative = combineValues(x, uncond, (a, b) => a - b);
  const squares = { positive: rowProducts(positive, positive), negative: rowProducts(negative, negative) };
  const products = rowProducts(positive, negative);
  // The vector is weights·(negative, positive), the weights an eigenvector of the two rows' Gram matrix.
  const parts = products.map((product, row) => {
    const [n, p] = [squares.negative[row]!, squares.positive[row]!];
    const angle = Math.atan2(2 * product, n - p) / 2;
    const [ofNegative, ofPositive] = [Math.cos(angle), Math.sin(angle)];
    const square = ofNegative ** 2 * n + 2 * ofNegative * ofPositive * product + ofPositive ** 2 * p;
    const along = square === 0 ? 0 : (ofNegative * n + ofPositive * product) / square;
    return { negative: along * ofNegative, positive: along * ofPositive };
  });
  return {
    cond,
    uncond: mapRows(x, (value, row, index) => {
      const { negative: n, positive: p } = parts[row]!;
      return value - (n * negative.data[index]! + p * positive.data[index]!);
    }),
  };
}
