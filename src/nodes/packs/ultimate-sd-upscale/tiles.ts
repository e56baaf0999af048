/** Where tiles are cut out of the canvas (usdu_utils.py and modules/processing.py of ComfyUI_UltimateSDUpscale). */
import { roundHalfEven } from '../../public.js';
import { boundsOf, type PlacedMask, type Region, type Size } from './canvas.js';

/** Eights of pixels: what networks take. */
export function inEights(length: number): number {
  return roundHalfEven(length / 8) * 8;
}

export interface Tile {
  readonly region: Region;
  /** What it is enlarged or reduced to before it is encoded. */
  readonly size: Size;
}

/** The part around a mask that is repainted; all of one size where that is given, else as large as it has to be. */
export function tileAround(mask: PlacedMask, padding: number, uniform: Size | undefined, canvas: Size): Tile {
  const region = paddedBounds(mask, padding, canvas);
  const [width, height] = [region[2] - region[0], region[3] - region[1]];
  if (uniform === undefined) {
    const size: Size = [Math.ceil(width / 8) * 8, Math.ceil(height / 8) * 8];
    return { region: expanded(region, size, canvas), size };
  }
  const ratio = uniform[0] / uniform[1];
  const target: Size =
    width / height > ratio ? [width, roundHalfEven(width / ratio)] : [roundHalfEven(height * ratio), height];
  return { region: expanded(region, target, canvas), size: uniform };
}

function paddedBounds(mask: PlacedMask, padding: number, [width, height]: Size): Region {
  const [left, top, right, bottom] = boundsOf(mask) ?? [width, height, 0, 0];
  const x2 = Math.min(right + padding, width);
  const y2 = Math.min(bottom + padding, height);
  // The pixel that Pillow draws beyond a rectangle.
  return [
    Math.max(left - padding, 0),
    Math.max(top - padding, 0),
    x2 < width ? x2 - 1 : x2,
    y2 < height ? y2 - 1 : y2,
  ];
}

/** Grown towards a size, half of it to the right and below, the rest where there is room. */
function expanded([x1, y1, x2, y2]: Region, target: Size, canvas: Size): Region {
  const [left, right] = grown(x1, x2, target[0], canvas[0]);
  const [top, bottom] = grown(y1, y2, target[1], canvas[1]);
  return [left, top, right, bottom];
}

function grown(from: number, to: number, target: number, limit: number): [number, number] {
  let end = Math.min(to + Math.floor((target - (to - from)) / 2), limit);
  const start = Math.max(from - (target - (end - from)), 0);
  end = Math.min(end + (target - (end - start)), limit);
  return [start, end];
}

/** Places of tiles, column and row, in the order in which they are repainted. */
export function tileOrder(
  mode: 'Linear' | 'Chess',
  rows: number,
  columns: number,
): [x: number, y: number][][] {
  const all = Array.from({ length: rows * columns }, (_, at): [number, number] => [
    at % columns,
    Math.floor(at / columns),
  ]);
  if (mode === 'Linear') return [all];
  const isWhite = ([x, y]: readonly [number, number]) => (x + y) % 2 === 0;
  return [all.filter(isWhite), all.filter((place) => !isWhite(place))];
}
