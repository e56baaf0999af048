/** Parts of a picture that were found: SEGS (modules/impact/core.py and utils.py of ComfyUI-Impact-Pack). */
import {
  crop,
  dilateBySquare,
  IMAGE_ROWS,
  mapValues,
  outerShapes,
  paste,
  pillowResize,
  tensor,
  upscaleLatent,
  type CustomType,
  type Image,
  type Mask,
  type Tensor,
} from '../../public.js';

/** Left, top, right and bottom in pixels; the last two lie outside. */
export type PartBox = readonly [x1: number, y1: number, x2: number, y2: number];

export interface Seg {
  /** 1×h×w×3, where it was cut out or painted anew. */
  readonly image?: Image | undefined;
  /** 1×h×w of the region. */
  readonly mask: Mask;
  /** 0 to 1. */
  readonly confidence: number;
  /** What is looked at around it, in whole pixels. */
  readonly region: PartBox;
  /** What was found; detectors give fractions of pixels. */
  readonly box: PartBox;
  readonly label: string;
}

export interface Segs {
  readonly height: number;
  readonly width: number;
  readonly items: readonly Seg[];
}

export const SEGS = 'SEGS' as CustomType<Segs>;

/** Finds parts of one picture, 1×H×W×3. */
export interface Detector {
  detect(image: Image, options: DetectOptions): Promise<Segs>;
  /** All that is found in one mask, 1×H×W; undefined where nothing is. */
  detectCombined(image: Image, threshold: number, dilation: number): Promise<Mask | undefined>;
}

export interface DetectOptions {
  /** The least confidence, 0 to 1. */
  readonly threshold: number;
  /** Pixels by which masks grow. */
  readonly dilation: number;
  /** How much larger than what was found the region around it is. */
  readonly cropFactor: number;
  /** What is no larger than this is left out. */
  readonly dropSize: number;
}

export const BBOX_DETECTOR = 'BBOX_DETECTOR' as CustomType<Detector>;
export const SEGM_DETECTOR = 'SEGM_DETECTOR' as CustomType<Detector>;

/** The region around a box that is `factor` times as large, as far as the picture goes (make_crop_region). */
export function regionAround(width: number, height: number, box: PartBox, factor: number): PartBox {
  const [x1, x2] = along(width, box[0], box[2], factor);
  const [y1, y2] = along(height, box[1], box[3], factor);
  return [x1, y1, x2, y2];
}

function along(limit: number, from: number, to: number, factor: number): [number, number] {
  const size = (to - from) * factor;
  const start = Math.trunc(from + (to - from) / 2 - size / 2);
  if (start < 0) return [0, Math.trunc(Math.min(limit, size))];
  if (start + size > limit) return [Math.trunc(Math.max(0, limit - size)), limit];
  return [start, Math.trunc(Math.min(limit, start + size))];
}

/** The part of an image or mask inside a region. */
export function partOf(value: Tensor, [x1, y1, x2, y2]: PartBox): Tensor {
  return crop(value, IMAGE_ROWS, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
}

const toByte = (value: number) => Math.trunc(Math.fround(value * 255)) & 255;

export interface MaskToSegsOptions {
  /** One part with all of the mask. */
  readonly combined: boolean;
  readonly cropFactor: number;
  /** Fills what was found up to a rectangle. */
  readonly fillsBox: boolean;
  readonly dropSize: number;
  /** Shapes are filled with white; else they are the mask's own grey. */
  readonly fillsContour: boolean;
}

/** The shapes of a mask, 1×H×W, as parts of a picture (mask_to_segs). */
export function maskToSegs(mask: Mask, options: MaskToSegsOptions): Segs {
  const [, height = 0, width = 0] = mask.shape;
  const items = options.combined ? wholeMask(mask, options) : shapesOf(mask, options);
  return { height, width, items };
}

function wholeMask(mask: Mask, { cropFactor, fillsBox }: MaskToSegsOptions): Seg[] {
  const [, height = 0, width = 0] = mask.shape;
  let [left, top, right, bottom] = [width, height, -1, -1];
  mask.data.forEach((value, at) => {
    if (value === 0) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  if (right < 0) return [];
  const box: PartBox = [left, top, right, bottom];
  const region = regionAround(width, height, box, cropFactor);
  if (region[2] <= region[0] || region[3] <= region[1]) return [];
  const part = partOf(mask, region);
  // The box is not moved into the region, as the pack has it.
  const filled = fillsBox ? whiteIn(part, box) : part;
  return [{ mask: filled, confidence: 1, region, box, label: 'A' }];
}

function shapesOf(mask: Mask, { cropFactor, fillsBox, dropSize, fillsContour }: MaskToSegsOptions): Seg[] {
  const [, height = 0, width = 0] = mask.shape;
  const shapes = outerShapes(Uint8Array.from(mask.data, toByte), width, height);
  return shapes.flatMap((shape) => {
    const least = Math.max(dropSize, 1);
    if (shape.width <= least || shape.height <= least) return [];
    const box: PartBox = [shape.x, shape.y, shape.x + shape.width, shape.y + shape.height];
    const region = regionAround(width, height, box, cropFactor);
    const part = tensor([1, region[3] - region[1], region[2] - region[0]]);
    for (let y = Math.max(box[1], region[1]); y < Math.min(box[3], region[3]); y++) {
      for (let x = Math.max(box[0], region[0]); x < Math.min(box[2], region[2]); x++) {
        if (shape.filled[(y - box[1]) * shape.width + x - box[0]] === 0) continue;
        const value = fillsContour ? 1 : mask.data[y * width + x]!;
        part.data[(y - region[1]) * part.shape[2]! + x - region[0]] = Math.min(Math.max(value, 0), 1);
      }
    }
    const inRegion = box.map((edge, at) => edge - region[at % 2]!) as unknown as PartBox;
    const filled = fillsBox ? whiteIn(part, inRegion) : part;
    return [{ mask: filled, confidence: 1, region, box, label: 'A' }];
  });
}

function whiteIn(mask: Mask, [x1, y1, x2, y2]: PartBox): Mask {
  const [, height = 0, width = 0] = mask.shape;
  const data = mask.data.slice();
  for (let y = Math.max(y1, 0); y < Math.min(y2, height); y++) {
    for (let x = Math.max(x1, 0); x < Math.min(x2, width); x++) data[y * width + x] = 1;
  }
  return tensor(mask.shape, data);
}

/** All masks in one, 1×H×W: bit by bit of their bytes (segs_to_combined_mask). */
export function combinedMask({ height, width, items }: Segs): Mask {
  const bytes = new Uint8Array(height * width);
  for (const { mask, region } of items) {
    const [, rows = 0, columns = 0] = mask.shape;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const at = (region[1] + y) * width + region[0] + x;
        bytes[at] = bytes[at]! | toByte(mask.data[y * columns + x]!);
      }
    }
  }
  return tensor(
    [1, height, width],
    Float32Array.from(bytes, (value) => value / 255),
  );
}

/** Masks of parts kept where another mask is, bit by bit of their bytes (segs_bitwise_and_mask). */
export function withinMask(segs: Segs, mask: Mask): Segs {
  const items = segs.items.map((seg) => {
    const other = partOf(mask, seg.region);
    if (other.data.length !== seg.mask.data.length) {
      throw new RangeError(
        `a mask of ${mask.shape[2]}×${mask.shape[1]} pixels doesn't fit parts of a picture of ${segs.width}×${segs.height}`,
      );
    }
    const data = seg.mask.data.map((value, at) => (toByte(value) & toByte(other.data[at]!)) / 255);
    return { ...seg, mask: tensor(seg.mask.shape, data) };
  });
  return { ...segs, items };
}

export function dilatedSegs(segs: Segs, size: number): Segs {
  if (size === 0) return segs;
  const items = segs.items.map((seg) => ({ ...seg, mask: dilateBySquare(seg.mask, size) }));
  return { ...segs, items };
}

/** Parts of a picture as those of the same picture in another size (segs_scale_match). */
export function scaledSegs(segs: Segs, height: number, width: number): Segs {
  if ((segs.height === height && segs.width === width) || segs.height === 0 || segs.width === 0) return segs;
  const [down, across] = [height / segs.height, width / segs.width];
  // The right edge by the height's factor, as the pack has it.
  const scaled = ([x1, y1, x2, y2]: PartBox): PartBox => [
    Math.trunc(x1 * across),
    Math.trunc(y1 * across),
    Math.trunc(x2 * down),
    Math.trunc(y2 * down),
  ];
  const items = segs.items.map((seg) => {
    const region = scaled(seg.region);
    const [newWidth, newHeight] = [region[2] - region[0], region[3] - region[1]];
    const [, rows = 0, columns = 0] = seg.mask.shape;
    const planes = tensor([1, 1, rows, columns], seg.mask.data);
    const { data } = upscaleLatent(planes, 'bilinear', { height: newHeight, width: newWidth });
    const mask = tensor([1, newHeight, newWidth], data);
    const image =
      seg.image === undefined ? undefined : pillowResize(seg.image, 'LANCZOS', newHeight, newWidth);
    return { ...seg, region, box: scaled(seg.box), mask, image };
  });
  return { height, width, items };
}

/** Parts whose label is one of a list, with the pack's names for groups of them (SEGSLabelFilter). */
export function withLabels(segs: Segs, labels: string): Segs {
  const wanted = new Set(labels.split(',').map((label) => label.trim()));
  if (labels === '' || wanted.has('all')) return segs;
  if (wanted.has('eyes')) for (const side of ['left_eye', 'right_eye']) wanted.add(side);
  if (wanted.has('eyebrows')) for (const side of ['left_eyebrow', 'right_eyebrow']) wanted.add(side);
  if (wanted.has('pupils')) for (const side of ['left_pupil', 'right_pupil']) wanted.add(side);
  return { ...segs, items: segs.items.filter(({ label }) => wanted.has(label)) };
}

/** A mask, 1×h×w, blurred over `radius` pixels on either side by a Gaussian of 10 (tensor_gaussian_blur_mask). */
export function feathered(mask: Mask, radius: number): Mask {
  if (radius <= 0) return mask;
  const [, height = 0, width = 0] = mask.shape;
  let side = radius * 2 + 1;
  const shortest = Math.min(height, width);
  if (shortest <= side) {
    side = Math.trunc(shortest / 2);
    if (side % 2 === 0) side++;
    if (side < 3) return mask;
  }
  const reach = (side - 1) / 2;
  const taps = gaussianTaps(side);
  const mirrored = (at: number, length: number) => (at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at);
  const blur = (values: Float64Array, isAcross: boolean): Float64Array =>
    values.map((_, place) => {
      const [x, y] = [place % width, Math.floor(place / width)];
      let total = 0;
      taps.forEach((tap, at) => {
        const column = isAcross ? mirrored(x + at - reach, width) : x;
        const row = isAcross ? y : mirrored(y + at - reach, height);
        total += tap * values[row * width + column]!;
      });
      return total;
    });
  const white = whiteBlurred(taps);
  const data = Float32Array.from(blur(blur(Float64Array.from(mask.data), true), false), (value) =>
    Math.abs(value - 1) < 5e-7 ? white : value,
  );
  return tensor(mask.shape, data);
}

/** In float32, as torchvision makes them. */
function gaussianTaps(side: number): number[] {
  const reach = (side - 1) / 2;
  const taps = Array.from({ length: side }, (_, at) =>
    Math.fround(Math.exp(-0.5 * ((at - reach) / 10) ** 2)),
  );
  const sum = Math.fround(taps.reduce((total, tap) => total + tap, 0));
  return taps.map((tap) => Math.fround(tap / sum));
}

/**
 * What torch makes of white all around: a sum in float32 that need not be 1. Differential diffusion asks whether a mask is as white as
 * that, so the last bit counts.
 */
function whiteBlurred(taps: readonly number[]): number {
  let sum = 0;
  for (const down of taps) {
    for (const across of taps) sum = Math.fround(sum + Math.fround(down * across));
  }
  return sum;
}

/** One picture laid into another where a mask says so (tensor_paste). */
export function pastedBy(image: Image, patch: Image, x: number, y: number, mask: Mask): Image {
  const [, height = 0, width = 0, channels = 0] = patch.shape;
  const below = partOf(image, [x, y, x + width, y + height]);
  const data = below.data.map((value, at) => {
    const share = mask.data[Math.floor(at / channels)]!;
    return Math.fround((1 - share) * value) + share * patch.data[at]!;
  });
  return paste(image, tensor([1, height, width, channels], data), IMAGE_ROWS, y, x);
}

/** Masks with one part of what may be several, 1×H×W: the first of a batch. */
export function singleMask(mask: Mask): Mask {
  const [count = 1] = mask.shape;
  if (count !== 1) throw new RangeError(`one mask is needed, not a batch of ${count}`);
  return mask;
}

export const emptyImage = (): Image => tensor([1, 64, 64, 3]);

export const inverted = (mask: Mask): Mask => mapValues(mask, (value) => 1 - value);
