/** Channels of N×C×…: latents, and masks beside them. */
import { elementCount, tensor, type Tensor } from '../compute/tensor.js';

/** Any mask, [N×[1×]]H×W, as N×1×H×W. */
export function withChannel(mask: Tensor): Tensor {
  const [height = 1, width = 1] = mask.shape.slice(-2);
  return tensor([mask.data.length / (height * width), 1, height, width], mask.data);
}

/** Joins N×A×… and N×B×… along their channels. */
export function concatChannels(a: Tensor, b: Tensor): Tensor {
  const [rows = 1, first = 1, ...extents] = a.shape;
  const second = b.shape[1] ?? 1;
  const area = elementCount(extents);
  const joined = tensor([rows, first + second, ...extents]);
  for (let row = 0; row < rows; row++) {
    const into = row * (first + second) * area;
    joined.data.set(a.data.subarray(row * first * area, (row + 1) * first * area), into);
    joined.data.set(b.data.subarray(row * second * area, (row + 1) * second * area), into + first * area);
  }
  return joined;
}
