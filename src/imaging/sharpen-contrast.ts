/** Contrast adaptive sharpening, as ComfyUI_IPAdapter_plus has it (utils.py, contrast_adaptive_sharpening), of images N×H×W×C in [0, 1]. */
import { tensor, type Tensor } from '../compute/tensor.js';

const { min, max, sqrt, fround } = Math;

/** `amount` from 0 to 1. What lies beyond the edges is black. */
export function sharpenedByContrast(image: Tensor, amount: number): Tensor {
  const [count = 0, height = 0, width = 0, channels = 0] = image.shape;
  const result = tensor(image.shape);
  const strength = amount * (1 / 5 - 1 / 8) + 1 / 8;
  for (let row = 0; row < count; row++) {
    const at = (y: number, x: number, channel: number): number =>
      y < 0 || x < 0 || y >= height || x >= width
        ? 0
        : image.data[((row * height + y) * width + x) * channels + channel]!;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < channels; channel++) {
          const value = at(y, x, channel);
          const beside = [
            at(y - 1, x, channel),
            at(y, x - 1, channel),
            at(y, x + 1, channel),
            at(y + 1, x, channel),
          ];
          const corners = [
            at(y - 1, x - 1, channel),
            at(y - 1, x + 1, channel),
            at(y + 1, x - 1, channel),
            at(y + 1, x + 1, channel),
          ];
          const least = max(min(value, ...beside), 0) + max(min(...corners), 0);
          const most = min(max(value, ...beside), 1) + min(max(...corners), 1);
          const weight = -sqrt((1 / most) * min(least, 2 - most)) * strength;
          const sum = beside.reduce((total, each) => total + each, 0);
          const sharp = (sum * weight + value) / (1 + 4 * weight);
          const index = ((row * height + y) * width + x) * channels + channel;
          result.data[index] = fround(Number.isNaN(sharp) ? 0 : min(max(sharp, 0), 1));
        }
      }
    }
  }
  return result;
}
