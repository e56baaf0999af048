/** Pictures (1×C×H×W) made larger for networks that can't take every size. */
import { tensor, type Tensor } from '../../compute/tensor.js';

/**
 * At least `minimum` and a multiple of `multipleOf` along each side: reflected at the lower and right edge, and where a picture
 * is too small for that, its last row and column over and over (spandrel __helpers/size_req.py, pad_tensor).
 */
export function padToRequirements(x: Tensor, minimum: number, multipleOf: number): Tensor {
  return padSides(
    x,
    (extent) => roundUp(Math.max(extent, roundUp(minimum, multipleOf)), multipleOf),
    reflected,
  );
}

/** A multiple of `multiple`: reflected, mirrored with the edge itself once more, or zeros. */
export function padToMultiple(x: Tensor, multiple: number, how: 'reflect' | 'mirror' | 'zero'): Tensor {
  const sources = { reflect: reflected, mirror: mirrored, zero: nowhere };
  return padSides(x, (extent) => roundUp(extent, multiple), sources[how]);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Where entry `index` of an extended side of `extent` comes from. */
type Source = (index: number, extent: number) => number;

const reflected: Source = (index, extent) => {
  if (index < extent) return index;
  const back = 2 * (extent - 1) - index;
  // Replication goes on from the last reflected one, which is the first of all.
  return Math.max(back, 0);
};

/** Beyond every picture; what is read there is 0. */
const nowhere: Source = (index, extent) => (index < extent ? index : -1);

const mirrored: Source = (index, extent) => {
  const at = index % (2 * extent);
  return at < extent ? at : 2 * extent - 1 - at;
};

function padSides(x: Tensor, enlarge: (extent: number) => number, source: Source): Tensor {
  const [batch = 1, channels = 0, height = 0, width = 0] = x.shape;
  const [rows, columns] = [enlarge(height), enlarge(width)];
  if (rows === height && columns === width) return x;
  const padded = tensor([batch, channels, rows, columns]);
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let y = 0; y < rows; y++) {
      const row = source(y, height);
      if (row < 0) continue;
      const from = (plane * height + row) * width;
      const into = (plane * rows + y) * columns;
      padded.data.set(x.data.subarray(from, from + width), into);
      for (let column = width; column < columns; column++) {
        const at = source(column, width);
        if (at >= 0) padded.data[into + column] = x.data[from + at]!;
      }
    }
  }
  return padded;
}

/** The upper left part of a picture. */
export function cropTo(x: Tensor, height: number, width: number): Tensor {
  const [batch = 1, channels = 0, rows = 0, columns = 0] = x.shape;
  if (rows === height && columns === width) return x;
  const part = tensor([batch, channels, height, width]);
  for (let line = 0; line < batch * channels * height; line++) {
    const from = (Math.floor(line / height) * rows + (line % height)) * columns;
    part.data.set(x.data.subarray(from, from + width), line * width);
  }
  return part;
}
