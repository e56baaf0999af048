/** Hints that networks make of pictures (comfyui_controlnet_aux src/custom_controlnet_aux, each detector's `__call__`). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { BytePicture } from '../../imaging/bytes.js';
import { greyOf, mapBytes, scaledTo, sized } from '../../imaging/hints/hint-size.js';
import { scribbled } from '../../imaging/hints/thin-lines.js';
import { resizeArea } from '../../imaging/opencv/resize.js';
import { resizeBytes, resizeValues } from '../../imaging/opencv/resize-taps.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import type { Annotator } from './annotator.js';
import { positionsFor } from './depth-anything.js';

const { fround } = Math;

/** 1×3×H×W of a function of each value; `order` says which channel comes when. */
function planes(
  {
    data,
    width,
    height,
  }: { readonly data: ArrayLike<number>; readonly width: number; readonly height: number },
  of: (value: number, channel: number) => number,
  order: readonly [number, number, number] = [0, 1, 2],
): Tensor {
  const result = tensor([1, 3, height, width]);
  const pixels = width * height;
  order.forEach((channel, at) => {
    for (let pixel = 0; pixel < pixels; pixel++) {
      result.data[at * pixels + pixel] = of(data[pixel * 3 + channel]!, channel);
    }
  });
  return result;
}

export interface EdgeOptions {
  readonly resolution: number;
  /** Three levels of grey, which hide small steps. */
  readonly safe: boolean;
  /** Strokes over the edges. */
  readonly scribble: boolean;
}

/** `safe_step`, in float32. */
function stepped(value: number): number {
  return fround(Math.trunc(fround(value * 3)) / 2);
}

export async function hedHint(
  annotator: Annotator,
  source: BytePicture,
  { resolution, safe, scribble }: EdgeOptions,
): Promise<BytePicture> {
  const { picture, withoutPadding } = sized(source, resolution);
  const odds = await annotator.annotate(planes(picture, (value) => value));
  const edges = Float64Array.from(odds.data, (value) => {
    const edge = 1 / (1 + Math.exp(-value));
    return (safe ? stepped(edge) : edge) * 255;
  });
  const grey = greyOf(edges, picture.height, picture.width);
  return withoutPadding(scribble ? scribbled(grey) : grey);
}

export async function pidinetHint(
  annotator: Annotator,
  source: BytePicture,
  { resolution, safe, scribble }: EdgeOptions,
): Promise<BytePicture> {
  const { picture, withoutPadding } = sized(source, resolution);
  const edges = await annotator.annotate(planes(picture, (value) => fround(value / 255), [2, 1, 0]));
  const values = edges.data.map((value) => fround((safe ? stepped(value) : value) * 255));
  const grey = greyOf(values, picture.height, picture.width);
  return withoutPadding(scribble ? scribbled(grey) : grey);
}

export async function lineartHint(
  annotator: Annotator,
  source: BytePicture,
  resolution: number,
): Promise<BytePicture> {
  const { picture, withoutPadding } = sized(source, resolution);
  const paper = await annotator.annotate(planes(picture, (value) => fround(value / 255)));
  const grey = greyOf(
    paper.data.map((value) => value * 255),
    picture.height,
    picture.width,
  );
  return withoutPadding(mapBytes(grey, (value) => 255 - value));
}

export async function lineartAnimeHint(
  annotator: Annotator,
  source: BytePicture,
  resolution: number,
): Promise<BytePicture> {
  const { picture, withoutPadding } = sized(source, resolution);
  const { multipleOf } = annotator;
  const [height, width] = [picture.height, picture.width].map(
    (extent) => multipleOf * Math.ceil(extent / multipleOf),
  ) as [number, number];
  const isFitting = height === picture.height && width === picture.width;
  const seen = isFitting ? picture : resizeBytes(picture, 'cubic', height, width);
  const paper = await annotator.annotate(planes(seen, (value) => fround(fround(value / 127.5) - 1)));
  const grey = greyOf(
    paper.data.map((value) => fround(fround(value * 127.5) + 127.5)),
    height,
    width,
  );
  const lines = resizeArea(grey, picture.height, picture.width);
  return withoutPadding(mapBytes(lines, (value) => 255 - value));
}

/** Of ImageNet's pictures. */
const MEANS = [0.485, 0.456, 0.406];
const DEVIATIONS = [0.229, 0.224, 0.225];
/** Pixels of the shorter side that Depth Anything sees. */
const DEPTH_SIDE = 518;

/** The nearest white, the furthest black. `side` is what a test's small network sees. */
export async function depthAnythingHint(
  annotator: Annotator,
  source: BytePicture,
  resolution: number,
  side = DEPTH_SIDE,
): Promise<BytePicture> {
  const { multipleOf, weights } = annotator;
  const growth = Math.max(side / source.height, side / source.width);
  const [height, width] = [source.height, source.width].map((extent) => {
    const nearest = roundHalfEven((extent * growth) / multipleOf) * multipleOf;
    return nearest < side ? Math.ceil((extent * growth) / multipleOf) * multipleOf : nearest;
  }) as [number, number];
  const values = { ...source, data: Float64Array.from(source.data, (value) => value / 255) };
  const isFitting = height === source.height && width === source.width;
  const seen = isFitting ? values.data : resizeValues(values, 'cubic', height, width);
  const x = planes({ data: seen, width, height }, (value, c) => (value - MEANS[c]!) / DEVIATIONS[c]!);
  const { data } = await annotator.annotate(x, { positions: positionsFor(weights, height, width) });
  const corners = { height: ratio(height, source.height), width: ratio(width, source.width) };
  const depth = withCorners(data, height, width, source.height, source.width, corners);
  const least = depth.reduce((a, b) => Math.min(a, b));
  const most = depth.reduce((a, b) => Math.max(a, b));
  const grey = depth.map((value) => fround(fround(fround(value - least) / fround(most - least)) * 255));
  return scaledTo(greyOf(grey, source.height, source.width), resolution);
}

function ratio(from: number, to: number): number {
  return to > 1 ? (from - 1) / (to - 1) : 0;
}

/** torch's bilinear interpolation with align_corners. */
function withCorners(
  data: Float32Array,
  height: number,
  width: number,
  toHeight: number,
  toWidth: number,
  steps: { readonly height: number; readonly width: number },
): Float32Array {
  const result = new Float32Array(toHeight * toWidth);
  for (let y = 0; y < toHeight; y++) {
    const top = Math.min(Math.floor(y * steps.height), height - 1);
    const down = y * steps.height - top;
    const low = Math.min(top + 1, height - 1);
    for (let x = 0; x < toWidth; x++) {
      const left = Math.min(Math.floor(x * steps.width), width - 1);
      const across = x * steps.width - left;
      const right = Math.min(left + 1, width - 1);
      const mix = (row: number) =>
        data[row * width + left]! * (1 - across) + data[row * width + right]! * across;
      result[y * toWidth + x] = mix(top) * (1 - down) + mix(low) * down;
    }
  }
  return result;
}
