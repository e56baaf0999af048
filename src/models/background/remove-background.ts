/** What stands before a background, by the networks that rembg uses (rembg/sessions, rembg/bg.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { toPicture, type BytePicture } from '../../imaging/bytes.js';
import { pillowResize } from '../../imaging/pillow-resize.js';
import type { Folders } from '../folders/folders.js';
import type { ForeignModel, ForeignRunOptions } from '../onnx/foreign-model.js';

interface Normalised {
  readonly side: number;
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

const U2NET: Normalised = { side: 320, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/** rembg's models by their names, which are their files' too. */
const MODELS = {
  u2net: U2NET,
  u2netp: U2NET,
  u2net_human_seg: U2NET,
  silueta: U2NET,
  'isnet-general-use': { side: 1024, mean: [0.5, 0.5, 0.5], deviation: [1, 1, 1] },
  'isnet-anime': { side: 1024, mean: [0.485, 0.456, 0.406], deviation: [1, 1, 1] },
} as const satisfies Readonly<Record<string, Normalised>>;

export type BackgroundModelName = keyof typeof MODELS;

export const BACKGROUND_MODELS = Object.keys(MODELS) as readonly BackgroundModelName[];

export interface BackgroundRemover {
  /** A grey picture of the size of an image's row: 255 on what stands before the background. */
  maskOf(image: Tensor, row: number, options?: ForeignRunOptions): Promise<BytePicture>;
}

interface Place {
  readonly folders: Folders;
  readonly models: { onnx(path: string): ForeignModel };
}

/** Throws `ModelError` naming the file that is missing. */
export function openBackgroundRemover(
  { folders, models }: Place,
  name: BackgroundModelName,
): BackgroundRemover {
  const model = models.onnx(folders.resolve('rembg', `${name}.onnx`));
  return {
    async maskOf(image, row, options) {
      const picture = toPicture(image, row);
      const [prediction] = await model.run(networkInput(picture, MODELS[name]), options);
      return maskFrom(prediction!, picture.height, picture.width);
    },
  };
}

/** 1×3×side×side; the brightest value of all is 1. */
function networkInput(picture: BytePicture, { side, mean, deviation }: Normalised): Tensor {
  const { data } = pillowResize(imageOf(picture), 'LANCZOS', side, side);
  const bytes = data.map((value) => Math.round(value * 255));
  const most = Math.max(
    bytes.reduce((a, b) => Math.max(a, b), 0),
    1e-6,
  );
  const x = tensor([1, 3, side, side]);
  const pixels = side * side;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < 3; c++) {
      x.data[c * pixels + pixel] = (bytes[pixel * 3 + c]! / most - mean[c]!) / deviation[c]!;
    }
  }
  return x;
}

/** Three channels of a picture as an image. */
function imageOf({ data, width, height, channels }: BytePicture): Tensor {
  const image = tensor([1, height, width, 3]);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) {
      image.data[pixel * 3 + c] = data[pixel * channels + Math.min(c, channels - 1)]! / 255;
    }
  }
  return image;
}

function maskFrom({ data, shape }: Tensor, height: number, width: number): BytePicture {
  const { fround } = Math;
  const [rows = 1, columns = 1] = shape.slice(-2);
  const plane = data.subarray(0, rows * columns);
  const least = plane.reduce((a, b) => Math.min(a, b));
  const range = fround(plane.reduce((a, b) => Math.max(a, b)) - least);
  const grey = tensor([1, rows, columns, 1]);
  plane.forEach((value, at) => {
    const share = Math.min(Math.max(fround(fround(value - least) / range), 0), 1);
    grey.data[at] = Math.trunc(fround(share * 255)) / 255;
  });
  const fitted = pillowResize(grey, 'LANCZOS', height, width);
  return {
    width,
    height,
    channels: 1,
    data: Uint8Array.from(fitted.data, (value) => Math.round(value * 255)),
  };
}

/** Pillow's blend of bytes: `share` of 255 of one value, the rest of another. */
export function blended(share: number, over: number, under: number): number {
  const sum = under * (255 - share) + over * share + 128;
  return ((sum >> 8) + sum) >> 8;
}

/** Four channels: a row of an image behind a mask, and nothing beside it. */
export function cutOut(image: Tensor, row: number, mask: BytePicture): BytePicture {
  const { data, width, height, channels } = toPicture(image, row);
  const result = new Uint8Array(width * height * 4);
  mask.data.forEach((share, pixel) => {
    for (let c = 0; c < 3; c++) result[pixel * 4 + c] = blended(share, data[pixel * channels + c]!, 0);
    const opaque = channels === 4 ? data[pixel * 4 + 3]! : 255;
    result[pixel * 4 + 3] = blended(share, opaque, 0);
  });
  return { width, height, channels: 4, data: result };
}
