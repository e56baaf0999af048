import { tensor, type Tensor } from '../compute/tensor.js';
import { roundHalfEven } from './rounding.js';

/** `rows` rows picked evenly from a batch of another size (ComfyUI comfy/utils.py, resize_to_batch_size). */
export function spreadOverBatch(source: Tensor, rows: number): Tensor {
  const [batch = 1, ...rest] = source.shape;
  if (batch === rows) return source;
  const length = source.data.length / batch;
  const result = tensor([rows, ...rest]);
  for (let row = 0; row < rows; row++) {
    const from =
      rows <= 1
        ? row
        : rows < batch
          ? roundHalfEven(row * ((batch - 1) / (rows - 1)))
          : Math.floor((row + 0.5) * (batch / rows));
    const picked = Math.min(from, batch - 1);
    result.data.set(source.data.subarray(picked * length, (picked + 1) * length), row * length);
  }
  return result;
}
