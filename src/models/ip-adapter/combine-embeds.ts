/** Several encoded pictures as one (ComfyUI_IPAdapter_plus, IPAdapterCombineEmbeds). */
import { tensor, type Tensor } from '../../compute/tensor.js';

export const EMBEDS_COMBINATIONS = ['concat', 'add', 'subtract', 'average', 'norm average'] as const;
export type EmbedsCombination = (typeof EMBEDS_COMBINATIONS)[number];

const { fround, sqrt, max, min } = Math;

/** The rows of N×… as one, 1×…. */
export function combinedRows(rows: Tensor, how: EmbedsCombination | 'max' | 'min'): Tensor {
  const [count = 1, ...rest] = rows.shape;
  if (how === 'concat') return rows;
  const length = rows.data.length / count;
  const result = tensor([1, ...rest]);
  const combine = COMBINATIONS[how];
  for (let at = 0; at < length; at++) {
    const values = Array.from({ length: count }, (_, row) => rows.data[row * length + at]!);
    result.data[at] = combine(values);
  }
  return result;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => fround(total + value), 0);
const mean = (values: readonly number[]) => fround(sum(values) / values.length);

const COMBINATIONS = {
  add: sum,
  average: mean,
  subtract: ([first = 0, ...others]: readonly number[]) => first - mean(others),
  'norm average': (values: readonly number[]) => {
    const norm = fround(sqrt(values.reduce((total, value) => total + value * value, 0)));
    return mean(values.map((value) => fround(value / norm)));
  },
  max: (values: readonly number[]) => max(...values),
  min: (values: readonly number[]) => min(...values),
} as const;
