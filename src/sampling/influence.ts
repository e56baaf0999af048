import { tensor, type Tensor } from '../compute/tensor.js';
import { crop, LATENT_ROWS } from '../imaging/planes.js';
import type { Condition } from './conditions.js';
import type { LatentArea } from './masks.js';

/** Latent pixels over which an area's influence fades towards its inner edges. */
const fuzz = 8;

/** Where, and how strongly, a condition's prediction counts. */
export interface Influence {
  /** Within the latent; its whole when left out. */
  readonly area?: LatentArea;
  /** Rows×h×w of the area, row i for row i modulo Rows of the batch; the constant when left out. */
  readonly weights?: Tensor;
  readonly constant: number;
}

/**
 * A condition's influence on a latent of `height` × `width` (ComfyUI comfy/samplers.py, get_area_and_mult).
 * Throws `RangeError` when its area begins outside the latent.
 */
export function influenceOf(condition: Condition, height: number, width: number): Influence {
  const { strength, mask, maskStrength } = condition;
  const area = condition.area === undefined ? undefined : cutTo(condition.area, height, width);
  const placed = area === undefined ? {} : { area };
  const constant = Math.fround(strength);
  if (mask !== undefined) {
    const part = area === undefined ? mask : cropMask(mask, area);
    const maskFactor = Math.fround(maskStrength);
    const weights = part.data.map((value) => Math.fround(value * maskFactor) * constant);
    return { ...placed, weights: tensor(part.shape, weights), constant };
  }
  if (area === undefined) return { constant };
  const weights = tensor([1, area.height, area.width]);
  weights.data.fill(constant);
  const fades = {
    rows: { before: area.y !== 0, after: area.y + area.height < height },
    columns: { before: area.x !== 0, after: area.x + area.width < width },
  };
  fade(weights.data, area.height, area.width, area.width, 1, fades.rows);
  fade(weights.data, area.width, area.height, 1, area.width, fades.columns);
  return { ...placed, weights, constant };
}

function cutTo(area: LatentArea, height: number, width: number): LatentArea {
  if (area.y >= height || area.x >= width) {
    throw new RangeError(
      `a conditioning's area begins at (${area.x}, ${area.y}) of a latent of ${width}×${height}, in latent pixels of 8 image pixels each`,
    );
  }
  return {
    ...area,
    height: Math.min(height - area.y, area.height),
    width: Math.min(width - area.x, area.width),
  };
}

/** The part of N×h×w in an area. */
export function cropMask(mask: Tensor, area: LatentArea): Tensor {
  const [rows = 1, height = 1, width = 1] = mask.shape;
  const part = crop(tensor([rows, 1, height, width], mask.data), LATENT_ROWS, area);
  return tensor([rows, area.height, area.width], part.data);
}

/**
 * Multiplies the first and last lines of an axis by rising shares. The axis has `extent` lines, `step` apart, each of
 * `length` values, `across` apart.
 */
function fade(
  weights: Float32Array,
  extent: number,
  length: number,
  step: number,
  across: number,
  sides: { readonly before: boolean; readonly after: boolean },
): void {
  const depth = Math.min(fuzz, Math.floor(extent / 4));
  const scaleLine = (line: number, factor: number): void => {
    for (let i = 0; i < length; i++) weights[line * step + i * across]! *= Math.fround(factor);
  };
  for (let t = 0; t < depth; t++) {
    const factor = (1 / depth) * (t + 1);
    if (sides.before) scaleLine(t, factor);
  }
  for (let t = 0; t < depth; t++) {
    const factor = (1 / depth) * (t + 1);
    if (sides.after) scaleLine(extent - 1 - t, factor);
  }
}
