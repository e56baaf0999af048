/** Pictures and reference values of faces. */
import sharp from 'sharp';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { resizeTo, type Picture } from '../../src/models/faces/picture.js';
import { fixture } from './golden.js';

/** A PNG of `test/fixtures/faces` as OpenCV reads it. */
export async function readPicture(name: string): Promise<Picture> {
  const { data, info } = await sharp(fixture(`faces/${name}`))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { height, width } = info;
  const values = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    for (let c = 0; c < 3; c++) values[i + c] = data[i + 2 - c]!;
  }
  return { values, height, width, bytes: true };
}

/** Every `step`th row and column, N×C×H×W. */
export function everyPlane({ shape, data }: Tensor, step: number): Tensor {
  const [n, c, height, width] = shape as [number, number, number, number];
  const rows = Math.ceil(height / step);
  const columns = Math.ceil(width / step);
  const result = tensor([n, c, rows, columns]);
  result.data.forEach((_, index) => {
    const plane = Math.floor(index / (rows * columns));
    const row = Math.floor(index / columns) % rows;
    result.data[index] = data[(plane * height + row * step) * width + (index % columns) * step]!;
  });
  return result;
}

/** Every `step`th row and column, H×W×3. */
export function everyPixel({ values, height, width }: Picture, step: number): Tensor {
  const rows = Math.ceil(height / step);
  const columns = Math.ceil(width / step);
  const result = tensor([rows, columns, 3]);
  result.data.forEach((_, index) => {
    const pixel = Math.floor(index / 3);
    const from = Math.floor(pixel / columns) * step * width + (pixel % columns) * step;
    result.data[index] = values[from * 3 + (index % 3)]!;
  });
  return result;
}

/** The mean absolute and the largest difference. */
export function differences(
  actual: Tensor,
  expected: Tensor,
): { readonly mean: number; readonly worst: number } {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`shape [${actual.shape.join(', ')}] is not [${expected.shape.join(', ')}]`);
  }
  let sum = 0;
  let worst = 0;
  expected.data.forEach((value, index) => {
    const difference = Math.abs(actual.data[index]! - value);
    sum += difference;
    worst = Math.max(worst, difference);
  });
  return { mean: sum / expected.data.length, worst };
}

/** `small` (H×W×3) enlarged bilinearly, as tools/reference/faces.py makes its pictures, cut to `rows` and `columns`. */
export function smoothPicture(
  small: Tensor,
  height: number,
  width: number,
  rows = height,
  columns = width,
): Picture {
  const [smallHeight, smallWidth] = small.shape as [number, number, number];
  const from = { values: small.data, height: smallHeight, width: smallWidth, bytes: false };
  const whole = resizeTo(from, height, width);
  const values = new Float32Array(rows * columns * 3);
  for (let row = 0; row < rows; row++) {
    const start = row * width * 3;
    values.set(whole.values.subarray(start, start + columns * 3), row * columns * 3);
  }
  return { values, height: rows, width: columns, bytes: false };
}
