/** Prompts of a whole picture, cut to a tile of it (usdu_utils.py, crop_cond). */
import {
  concatRows,
  pillowResize,
  roundHalfEven,
  takeRows,
  tensor,
  upscaleLatent,
  crop,
  LATENT_ROWS,
  upscaleImage,
  type ConditioningEntry,
  type Conditioning,
  type Tensor,
} from '../../public.js';
import { cropRegion, wholeBytes, type Region, type Size } from './canvas.js';

/** Which tiles of which canvas. */
export interface Crop {
  /** One for each row of the batch; areas and masks are those of the first alone. */
  readonly regions: readonly Region[];
  /** Of the picture that areas are meant for. */
  readonly original: Size;
  readonly canvas: Size;
  /** What tiles are brought to. */
  readonly tile: Size;
}

export function croppedConditioning(conditioning: Conditioning, crop: Crop): Conditioning {
  return conditioning.map((entry) => croppedEntry(entry, crop));
}

function croppedEntry(entry: ConditioningEntry, crop: Crop): ConditioningEntry {
  const { area, strength, control, mask, referenceLatents, ...rest } = entry;
  const inside = area === undefined ? undefined : croppedArea(area, crop);
  return {
    ...rest,
    ...(strength !== undefined && (area === undefined || inside !== undefined) && { strength }),
    ...(inside !== undefined && { area: inside }),
    ...(mask !== undefined && { mask: croppedMask(mask, crop) }),
    ...(control !== undefined && {
      control: control.withPictures?.((picture) => croppedPicture(picture, crop)) ?? control,
    }),
    ...(referenceLatents !== undefined && {
      referenceLatents: referenceLatents.map((latent) => croppedLatent(latent, crop)),
    }),
  };
}

/** A region of a picture of one size in one of another. */
function scaledRegion([x1, y1, x2, y2]: Region, from: Size, to: Size): Region {
  return [
    Math.floor((x1 * to[0]) / from[0]),
    Math.floor((y1 * to[1]) / from[1]),
    Math.ceil((x2 * to[0]) / from[0]),
    Math.ceil((y2 * to[1]) / from[1]),
  ];
}

type Area = NonNullable<ConditioningEntry['area']>;

/** Undefined where the area lies outside of the tile. */
function croppedArea(area: Area, { regions, original, canvas }: Crop): Area | undefined {
  const region = regions[0]!;
  const [width, height] = original;
  const scale = area.unit === 'pixel' ? [8, 8] : [width, height];
  const [left, top] = [area.x * scale[0]!, area.y * scale[1]!];
  const whole: Region = [left, top, left + area.width * scale[0]!, top + area.height * scale[1]!];
  const [x1, y1, x2, y2] = scaledRegion(whole, original, canvas);
  const inside = [
    Math.max(x1, region[0]),
    Math.max(y1, region[1]),
    Math.min(x2, region[2]),
    Math.min(y2, region[3]),
  ] as const;
  if (inside[0] >= inside[2] || inside[1] >= inside[3]) return undefined;
  const eighths = (length: number) => Math.floor(length / 8);
  return {
    unit: 'pixel',
    width: eighths(inside[2] - inside[0]),
    height: eighths(inside[3] - inside[1]),
    x: eighths(inside[0] - region[0]),
    y: eighths(inside[1] - region[1]),
  };
}

/** What a ControlNet is shown: the same part of its picture for each row, one after the other. */
function croppedPicture(picture: Tensor, { regions, canvas, tile: [width, height] }: Crop): Tensor {
  const [, ownHeight = 0, ownWidth = 0] = picture.shape;
  return regions
    .map((region) => cropRegion(picture, scaledRegion(region, canvas, [ownWidth, ownHeight])))
    .map((part) => upscaleImage(part, 'nearest-exact', { width, height }))
    .reduce(concatRows);
}

function croppedMask(mask: Tensor, { regions, canvas, tile }: Crop): Tensor {
  const [count = 0, height = 0, width = 0] = mask.shape;
  const grey = wholeBytes(tensor([count, height, width, 1], mask.data));
  const whole = fitted(grey, 'BICUBIC', canvas);
  const part = cropRegion(whole, regions[0]!);
  const [, partHeight = 0, partWidth = 0] = part.shape;
  const ratio = Math.min(tile[0] / partWidth, tile[1] / partHeight);
  const inner: Size = [roundHalfEven(partWidth * ratio), roundHalfEven(partHeight * ratio)];
  const padded = edgesRepeated(fitted(part, 'LANCZOS', inner), tile);
  const { data } = fitted(padded, 'LANCZOS', tile);
  return tensor([count, tile[1], tile[0]], data);
}

function fitted(grey: Tensor, filter: 'BICUBIC' | 'LANCZOS', [width, height]: Size): Tensor {
  return pillowResize(grey, filter, height, width);
}

/**
 * Padded on all sides towards a size, by what lies at the edges without its first and last pixel; corners are those of the rows
 * above and below (usdu_utils.py, pad_image2).
 */
function edgesRepeated(grey: Tensor, [width, height]: Size): Tensor {
  const [count = 0, ownHeight = 0, ownWidth = 0] = grey.shape;
  const left = Math.floor((width - ownWidth) / 2);
  const top = Math.floor((height - ownHeight) / 2);
  if (left === 0 && top === 0) return grey;
  const [toWidth, toHeight] = [ownWidth + 2 * left, ownHeight + 2 * top];
  const inner = (at: number, own: number, whole: number) => 1 + Math.floor(((at + 0.5) * (own - 2)) / whole);
  const result = tensor([count, toHeight, toWidth, 1]);
  for (let index = 0; index < count; index++) {
    for (let y = 0; y < toHeight; y++) {
      for (let x = 0; x < toWidth; x++) {
        const isBeside = x < left || x >= left + ownWidth;
        const isBeyond = y < top || y >= top + ownHeight;
        let [column, row] = [x - left, y - top];
        if (top > 0 && isBeyond) {
          row = y < top ? 0 : ownHeight - 1;
          column = inner(x, ownWidth, toWidth);
        } else if (isBeside) {
          column = x < left ? 0 : ownWidth - 1;
          row = inner(y, ownHeight, toHeight);
        }
        result.data[(index * toHeight + y) * toWidth + x] =
          grey.data[(index * ownHeight + row) * ownWidth + column]!;
      }
    }
  }
  return result;
}

/** A latent of the whole picture, N×C×[1×]h×w. */
function croppedLatent(latent: Tensor, { regions, canvas, tile }: Crop): Tensor {
  const eighths = (length: number) => Math.floor(length / 8);
  const [rows = 1, channels = 1] = latent.shape;
  const [ownHeight = 1, ownWidth = 1] = latent.shape.slice(-2);
  const planes = tensor([rows, channels, ownHeight, ownWidth], latent.data);
  const scaled = (source: Tensor, height: number, width: number) =>
    source.shape[2] === height && source.shape[3] === width
      ? source
      : upscaleLatent(source, 'bilinear', { height, width });
  const whole = scaled(planes, eighths(canvas[1]), eighths(canvas[0]));
  const [x1, y1, x2, y2] = regions[0]!.map((edge) => roundHalfEven(edge / 8)) as unknown as Region;
  const part = crop(whole, LATENT_ROWS, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
  const result = scaled(part, Math.max(1, eighths(tile[1])), Math.max(1, eighths(tile[0])));
  return latent.shape.length === 5
    ? tensor([rows, channels, 1, ...result.shape.slice(2)], takeRows(result, 0, rows).data)
    : result;
}
