/** A picture whose content is moved about (comfyui_controlnet_aux src/custom_controlnet_aux/shuffle, make_noise_disk of util.py). */
import type { BytePicture } from '../bytes.js';
import { remapBytes } from '../opencv/remap.js';
import { resizeValues } from '../opencv/resize-taps.js';
import { NumpyGenerator } from '../../python/numpy-random.js';

/** Pixels between random places. */
const GRID = 256;

/** Every pixel from a place that a smooth random field names. */
export function shuffled(picture: BytePicture, seed: bigint): BytePicture {
  const { width, height } = picture;
  const random = new NumpyGenerator(seed);
  const [x, y] = [smoothNoise(height, width, random), smoothNoise(height, width, random)];
  const flow = new Float32Array(2 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    flow[2 * pixel] = x[pixel]! * (width - 1);
    flow[2 * pixel + 1] = y[pixel]! * (height - 1);
  }
  return remapBytes(picture, flow);
}

/** From 0 to 1. */
function smoothNoise(height: number, width: number, random: NumpyGenerator): Float64Array {
  const [rows, columns] = [height, width].map((extent) => Math.floor(extent / GRID) + 2) as [number, number];
  const places = Float64Array.from({ length: rows * columns }, () => random.random());
  const small = { data: places, height: rows, width: columns, channels: 1 };
  const [tall, wide] = [height + 2 * GRID, width + 2 * GRID];
  const field = resizeValues(small, 'cubic', tall, wide);
  const noise = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    const start = (y + GRID) * wide + GRID;
    noise.set(field.subarray(start, start + width), y * width);
  }
  let [least, most] = [Infinity, -Infinity];
  for (const value of noise) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return noise.map((value) => (value - least) / (most - least));
}
