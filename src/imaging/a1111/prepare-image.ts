/** What img2img draws over, and what of the picture stays (AUTOMATIC1111 modules/processing.py, StableDiffusionProcessingImg2Img.init). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { gaussianBlurBy } from '../blur.js';
import { greyImage } from '../channels.js';
import { crop, IMAGE_ROWS, paste, type Rectangle } from '../planes.js';
import { batchOf, mapValues, resizeBatch } from '../tensor-ops.js';
import { upscaleImage } from '../upscale.js';
import { expandRegion, maskedRegion } from './crop-region.js';
import { fillMasked } from './fill-masked.js';
import { fitImage, type FitMode } from './fit-image.js';

export interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly fit: FitMode;
}

export interface Inpainting {
  /** 1×H×W, as `maskOf` gives it. */
  readonly mask: Tensor;
  readonly blurX: number;
  readonly blurY: number;
  /** Whether what is masked is given colours from around it. */
  readonly fills: boolean;
  /** Only the region around the mask is drawn, with so many pixels around it. */
  readonly padding: number | undefined;
}

/** The picture that is left, and where what is drawn goes. */
export interface Overlay {
  /** N×H×W×3. */
  readonly image: Tensor;
  /** 1×H×W, 1 where the new picture shows. */
  readonly mask: Tensor;
  /** Where only a region was drawn. */
  readonly region: Rectangle | undefined;
}

export interface PreparedImage {
  /** N×height×width×3, to be encoded. */
  readonly image: Tensor;
  /** 1×height×width, 1 where it is drawn anew. */
  readonly mask: Tensor;
  /** The same for latents of an eighth of the size, 0 or 1. */
  readonly latentMask: Tensor;
  readonly overlay: Overlay | undefined;
}

const LATENT_SCALE = 8;

/** `image` is N×H×W×3. A black mask counts as none. */
export function prepareImage(image: Tensor, drawn: Drawn, inpainting: Inpainting | undefined): PreparedImage {
  const { width, height } = drawn;
  const softened = inpainting === undefined ? undefined : soften(image, inpainting);
  if (inpainting === undefined || softened === undefined || softened.data.every((value) => value === 0)) {
    const whole = tensor([1, height, width], new Float32Array(height * width).fill(1));
    return { image: fitImage(image, drawn.fit, width, height), ...masksOf(whole), overlay: undefined };
  }
  const { padding } = inpainting;
  const part =
    padding === undefined ? wholePicture(image, softened, drawn) : region(image, softened, drawn, padding);
  const filled = inpainting.fills
    ? eachPicture(part.image, (picture) => fillMasked(picture, part.mask))
    : part.image;
  return { image: filled, ...masksOf(part.mask), overlay: part.overlay };
}

/** The new picture in its place in the old one. */
export function pasteDrawn(drawn: Tensor, { image, mask, region }: Overlay): Tensor {
  const batch = Math.max(batchOf(drawn), batchOf(image));
  const under = resizeBatch(image, batch);
  const over =
    region === undefined
      ? drawn
      : paste(
          under,
          resizeBatch(fitImage(drawn, 'crop', region.width, region.height), batch),
          IMAGE_ROWS,
          region.y,
          region.x,
        );
  const pixels = mask.data.length;
  return tensor(
    under.shape,
    under.data.map((old, at) => {
      const weight = mask.data[Math.floor(at / 3) % pixels]!;
      return old + weight * (over.data[at % over.data.length]! - old);
    }),
  );
}

/**
 * A mask of a picture: its transparency where it has some, else its brightness as Pillow reckons it (create_binary_mask). `image` is N×H×W×3; `transparency` is
 * LoadImage's mask, of another size where the file has none. The first picture counts.
 */
export function maskOf(image: Tensor, transparency: Tensor | undefined, inverted: boolean): Tensor {
  const [, height = 0, width = 0] = image.shape;
  const pixels = height * width;
  const alpha = transparency?.data.subarray(0, pixels);
  const sameSize = transparency?.shape[1] === height && transparency.shape[2] === width;
  const isCut = alpha !== undefined && sameSize && alpha.some((value) => value > 0);
  const values = Float32Array.from({ length: pixels }, (_, at) => {
    if (isCut) return 1 - alpha[at]! > 128 / 255 ? 1 : 0;
    const [red, green, blue] = image.data.subarray(at * 3, at * 3 + 3);
    return Math.round(299 * 0.255 * red! + 587 * 0.255 * green! + 114 * 0.255 * blue!) / 255;
  });
  return tensor([1, height, width], inverted ? values.map((value) => 1 - value) : values);
}

/** On white where it is transparent. */
export function onWhite(image: Tensor, transparency: Tensor): Tensor {
  if (image.data.length !== transparency.data.length * 3) return image;
  return tensor(
    image.shape,
    image.data.map((value, at) => value + (1 - value) * transparency.data[Math.floor(at / 3)]!),
  );
}

/** Of the picture's size, and blurred. */
function soften(image: Tensor, { mask, blurX, blurY }: Inpainting): Tensor {
  const [, height = 0, width = 0] = image.shape;
  const [, ownHeight, ownWidth] = mask.shape;
  const fitted = ownHeight === height && ownWidth === width ? mask : resized(mask, 'stretch', width, height);
  // In bytes, one way after the other, as there: what is nearly black is black.
  const blurred = (values: Tensor, sigmas: { readonly x: number; readonly y: number }) =>
    mapValues(gaussianBlurBy(values, sigmas), (value) => Math.round(value * 255) / 255);
  const across = blurred(tensor([...fitted.shape, 1], fitted.data), { x: blurX, y: 0 });
  return firstChannel(blurred(across, { x: 0, y: blurY }));
}

interface Part {
  readonly image: Tensor;
  readonly mask: Tensor;
  readonly overlay: Overlay;
}

function wholePicture(image: Tensor, mask: Tensor, { width, height, fit }: Drawn): Part {
  const picture = fitImage(image, fit, width, height);
  const fitted = resized(mask, fit, width, height);
  const shown = mapValues(fitted, (value) => Math.min(value * 2, 1));
  return { image: picture, mask: fitted, overlay: { image: picture, mask: shown, region: undefined } };
}

function region(image: Tensor, mask: Tensor, { width, height }: Drawn, padding: number): Part {
  const [, pictureHeight = 0, pictureWidth = 0] = image.shape;
  const found = maskedRegion(mask, padding)!;
  const place = expandRegion(found, { width, height }, { width: pictureWidth, height: pictureHeight });
  return {
    image: fitImage(crop(image, IMAGE_ROWS, place), 'fill', width, height),
    mask: resized(crop(mask, IMAGE_ROWS, place), 'fill', width, height),
    overlay: { image, mask, region: place },
  };
}

function resized(mask: Tensor, fit: FitMode, width: number, height: number): Tensor {
  return firstChannel(fitImage(greyImage(mask), fit, width, height));
}

function masksOf(mask: Tensor): { readonly mask: Tensor; readonly latentMask: Tensor } {
  const [, height = 0, width = 0] = mask.shape;
  const target = {
    width: Math.max(1, Math.floor(width / LATENT_SCALE)),
    height: Math.max(1, Math.floor(height / LATENT_SCALE)),
  };
  const small = firstChannel(upscaleImage(greyImage(mask), 'lanczos', target));
  return { mask, latentMask: mapValues(small, (value) => (value > 0.5 ? 1 : 0)) };
}

function eachPicture(images: Tensor, change: (image: Tensor) => Tensor): Tensor {
  const length = images.data.length / batchOf(images);
  const result = tensor(images.shape);
  for (let index = 0; index < batchOf(images); index++) {
    const picture = tensor(
      [1, ...images.shape.slice(1)],
      images.data.slice(index * length, (index + 1) * length),
    );
    result.data.set(change(picture).data, index * length);
  }
  return result;
}

/** Of images, N×H×W×C, as masks. */
function firstChannel(image: Tensor): Tensor {
  const channels = image.shape[3]!;
  const result = tensor(image.shape.slice(0, 3));
  for (let at = 0; at < result.data.length; at++) result.data[at] = image.data[at * channels]!;
  return result;
}
