/** What SAM is shown of parts, and what becomes of its masks (modules/impact/core.py, make_sam_mask and its like). */
import { dilateBySquare, tensor, type Image, type Mask } from '../../public.js';
import type { Hint, ScoredMask, SegmentAnything } from './sam.js';
import type { PartBox, Seg, Segs } from './segs.js';

export const DETECTION_HINTS = [
  'center-1',
  'horizontal-2',
  'vertical-2',
  'rect-4',
  'diamond-4',
  'mask-area',
  'mask-points',
  'mask-point-bbox',
  'none',
] as const;

export const NEGATIVE_HINTS = ['False', 'Small', 'Outter'] as const;

export interface OutlineOptions {
  readonly hint: (typeof DETECTION_HINTS)[number];
  readonly dilation: number;
  readonly threshold: number;
  /** Pixels by which boxes are enlarged. */
  readonly expansion: number;
  /** How white a mask is where `mask-area` takes points. */
  readonly hintThreshold: number;
  readonly negative: (typeof NEGATIVE_HINTS)[number];
}

export interface Outlines {
  /** All of them in one, 1×H×W. */
  readonly combined: Mask;
  /** Three and three of them in one, N×H×W; undefined where there are none. */
  readonly grouped: Mask | undefined;
}

/** The outlines of parts of one picture, 1×H×W×3. */
export async function outlinesOf(
  sam: SegmentAnything,
  segs: Segs,
  image: Image,
  options: OutlineOptions,
): Promise<Outlines> {
  const [, height = 0, width = 0] = image.shape;
  const found: Mask[] = [];
  if (segs.items.length > 0) {
    const predict = await sam.look(image);
    if (options.hint === 'mask-points') {
      const hints = segs.items.map(({ box }) => ({
        ...centerOf(box),
        isInside: !(options.negative === 'Small' && box[2] - box[0] < 10),
      }));
      found.push(...chosen(await predict(hints, undefined), options.threshold));
    } else {
      for (const seg of segs.items) {
        const box = expanded(seg.box, options.expansion, width, height);
        const hints = hintsOf(seg, box, options);
        if (options.negative === 'Outter') hints.push(...hintsBeside(seg.region, width, height));
        found.push(...chosen(await predict(hints, box), options.threshold));
      }
    }
  }
  const empty = tensor([1, height, width]);
  const combined = found.reduce(either, empty);
  const groups = Array.from({ length: Math.ceil(found.length / 3) }, (_, at) =>
    found.slice(at * 3, at * 3 + 3).reduce(either),
  );
  const grouped =
    groups.length === 0
      ? undefined
      : tensor([groups.length, height, width], Float32Array.from(groups.flatMap(({ data }) => [...data])));
  return { combined: found.length === 0 ? empty : dilateBySquare(combined, options.dilation), grouped };
}

function either(a: Mask, b: Mask): Mask {
  return tensor(
    a.shape,
    a.data.map((value, at) => (value !== 0 || b.data[at] !== 0 ? 1 : 0)),
  );
}

/** Masks that are sure enough, else the surest (sam_predict). */
function chosen(masks: readonly ScoredMask[], threshold: number): Mask[] {
  const sure = masks.filter(({ score }) => score >= threshold);
  if (sure.length > 0) return sure.map(({ mask }) => mask);
  const surest = masks.reduce<ScoredMask | undefined>(
    (best, each) => (each.score > (best?.score ?? 0) ? each : best),
    undefined,
  );
  return surest === undefined ? [] : [surest.mask];
}

function centerOf([x1, y1, x2, y2]: PartBox): { readonly x: number; readonly y: number } {
  return { x: x1 + (x2 - x1) / 2, y: y1 + (y2 - y1) / 2 };
}

function expanded([x1, y1, x2, y2]: PartBox, by: number, width: number, height: number): PartBox {
  return [Math.max(x1 - by, 0), Math.max(y1 - by, 0), Math.min(x2 + by, width), Math.min(y2 + by, height)];
}

function hintsOf(seg: Seg, [x1, y1, x2, y2]: PartBox, options: OutlineOptions): Hint[] {
  const { x, y } = centerOf(seg.box);
  const inside = (...points: readonly (readonly [number, number])[]): Hint[] =>
    points.map(([column, row]) => ({ x: column, y: row, isInside: true }));
  const [across, down] = [(x2 - x1) / 3, (y2 - y1) / 3];
  switch (options.hint) {
    case 'center-1':
    case 'mask-point-bbox':
      return inside([x, y]);
    case 'horizontal-2':
      return inside([x1 + across, y], [x1 + across * 2, y]);
    case 'vertical-2':
      return inside([x, y1 + down], [x, y1 + down * 2]);
    case 'rect-4':
      return inside([x1 + across, y], [x1 + across * 2, y], [x, y1 + down], [x, y1 + down * 2]);
    case 'diamond-4':
      return inside(
        [x1 + across, y1 + down],
        [x1 + across * 2, y1 + down],
        [x1 + across, y1 + down * 2],
        [x1 + across * 2, y1 + down * 2],
      );
    case 'mask-area':
      return hintsInMask(seg, options);
    case 'mask-points':
    case 'none':
      return [];
  }
}

/** Every twentieth place of the mask either way, and no less than every third. */
function hintsInMask({ mask, region }: Seg, { hintThreshold, negative }: OutlineOptions): Hint[] {
  const [, height = 0, width = 0] = mask.shape;
  const down = Math.max(3, Math.trunc(height / 20));
  const across = Math.max(3, Math.trunc(width / 20));
  const hints: Hint[] = [];
  for (let row = 0; row < height; row += down) {
    for (let column = 0; column < width; column += across) {
      const value = mask.data[row * width + column]!;
      const place = { x: region[0] + column, y: region[1] + row };
      if (value > hintThreshold) hints.push({ ...place, isInside: true });
      else if (negative === 'Small' && value === 0) hints.push({ ...place, isInside: false });
    }
  }
  return hints;
}

/** Places outside of a region. The pack gives the picture's height for its width, and so does this. */
function hintsBeside([x1, y1, x2, y2]: PartBox, pictureWidth: number, pictureHeight: number): Hint[] {
  const [width, height] = [pictureHeight, pictureWidth];
  const down = Math.max(3, Math.trunc(width / 20));
  const across = Math.max(3, Math.trunc(height / 20));
  const hints: Hint[] = [];
  for (let row = 10; row < height - 10; row += down) {
    for (let column = 10; column < width - 10; column += across) {
      const isNear = x1 - 10 <= column && column <= x2 + 10 && y1 - 10 <= row && row <= y2 + 10;
      if (!isNear) hints.push({ x: column, y: row, isInside: false });
    }
  }
  return hints;
}
