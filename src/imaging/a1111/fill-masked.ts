/** Colours from around it where a picture is masked (AUTOMATIC1111 modules/masking.py, fill). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { blurByBoxes } from './box-blur.js';

/** Radii, and how often each is laid over what is there. */
const LAYERS = [
  [256, 1],
  [64, 1],
  [16, 2],
  [4, 4],
  [2, 2],
  [0, 1],
] as const;

/** `image` is 1×H×W×3, `mask` 1×H×W, 1 where it is to be filled. */
export function fillMasked(image: Tensor, mask: Tensor): Tensor {
  const [, height = 0, width = 0] = image.shape;
  // Colours times what is left of them, and that share.
  const kept = new Float32Array(height * width * 4);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const share = 1 - mask.data[pixel]!;
    for (let channel = 0; channel < 3; channel++) {
      kept[pixel * 4 + channel] = image.data[pixel * 3 + channel]! * share;
    }
    kept[pixel * 4 + 3] = share;
  }
  const filled = new Float32Array(kept.length);
  for (const [radius, times] of LAYERS) {
    const layer = blurByBoxes(kept, { height, width, inner: 4 }, radius);
    for (let time = 0; time < times; time++) layOver(filled, layer);
  }
  const result = tensor(image.shape);
  for (let pixel = 0; pixel < height * width; pixel++) {
    const share = filled[pixel * 4 + 3]!;
    if (share === 0) continue;
    for (let channel = 0; channel < 3; channel++) {
      result.data[pixel * 3 + channel] = filled[pixel * 4 + channel]! / share;
    }
  }
  return result;
}

function layOver(under: Float32Array, layer: Float32Array): void {
  for (let at = 0; at < under.length; at += 4) {
    const shows = 1 - layer[at + 3]!;
    for (let i = at; i < at + 4; i++) under[i] = layer[i]! + under[i]! * shows;
  }
}
