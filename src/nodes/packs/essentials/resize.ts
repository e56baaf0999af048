/** Sizes of images (ComfyUI_essentials image.py). */
import {
  combo,
  crop,
  defineNode,
  IMAGE_ROWS,
  int,
  link,
  mapValues,
  paste,
  resizeNearest,
  roundHalfEven,
  tensor,
  upscaleImage,
  type Image,
} from '../../public.js';

const MAX_RESOLUTION = 16384;
type Extents = readonly [batch: number, height: number, width: number, channels: number];

interface Size {
  readonly width: number;
  readonly height: number;
}

const INTERPOLATIONS = ['nearest', 'bilinear', 'bicubic', 'area', 'nearest-exact', 'lanczos'] as const;
const METHODS = ['stretch', 'keep proportion', 'fill / crop', 'pad'] as const;
const CONDITIONS = [
  'always',
  'downscale if bigger',
  'upscale if smaller',
  'if bigger area',
  'if smaller area',
] as const;

const side = (tooltip: string) => int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1, tooltip });

export const imageResize = defineNode({
  name: 'ImageResize+',
  displayName: '🔧 Image Resize',
  category: 'essentials/image manipulation',
  description: 'Resizes images: stretched, with their proportion, cut, or padded with black.',
  required: {
    image: link('IMAGE'),
    width: side('Width in pixels; 0 follows from the height or the image.'),
    height: side('Height in pixels; 0 follows from the width or the image.'),
    interpolation: combo(INTERPOLATIONS),
    method: combo(METHODS),
    condition: combo(CONDITIONS, { tooltip: 'When it is done at all.' }),
    multiple_of: int({
      default: 0,
      min: 0,
      max: 512,
      step: 1,
      tooltip: 'Sides are cut to multiples of this.',
    }),
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
  ],
  run({ image, width, height, interpolation, method, condition, multiple_of: multiple }) {
    const [, ownHeight, ownWidth] = image.shape as Extents;
    const own = { width: ownWidth, height: ownHeight };
    const wanted =
      multiple > 1
        ? { width: width - (width % multiple), height: height - (height % multiple) }
        : { width, height };
    const plan = planOf(method, own, wanted);
    const scaled = applies(condition, own, plan.size) ? applied(image, interpolation, plan) : image;
    const cut = multiple > 1 ? cutToMultiple(scaled, multiple) : scaled;
    const result = mapValues(cut, (value) => Math.min(Math.max(value, 0), 1));
    return { outputs: [result, result.shape[2]!, result.shape[1]!] };
  },
});

interface Plan {
  /** Of the image itself. */
  readonly size: Size;
  /** What the image is put into, or cut to. */
  readonly frame?: Size & { readonly x: number; readonly y: number; readonly kind: 'pad' | 'crop' };
}

function planOf(method: (typeof METHODS)[number], own: Size, wanted: Size): Plan {
  if (method === 'stretch' || method === 'fill / crop') {
    const width = wanted.width > 0 ? wanted.width : own.width;
    const height = wanted.height > 0 ? wanted.height : own.height;
    if (method === 'stretch') return { size: { width, height } };
    const size = inProportion(own, Math.max(width / own.width, height / own.height));
    const x = Math.max(0, startOf(size.width, width));
    const y = Math.max(0, startOf(size.height, height));
    return { size, frame: { width, height, x, y, kind: 'crop' } };
  }
  // A side of 0 is no bound, unless the image is larger than the other side.
  const width = wanted.width !== 0 ? wanted.width : own.height < wanted.height ? MAX_RESOLUTION : own.width;
  const height = wanted.height !== 0 ? wanted.height : own.width < width ? MAX_RESOLUTION : own.height;
  const size = inProportion(own, Math.min(width / own.width, height / own.height));
  if (method === 'keep proportion') return { size };
  const x = Math.floor((width - size.width) / 2);
  const y = Math.floor((height - size.height) / 2);
  return { size, frame: { width, height, x, y, kind: 'pad' } };
}

function inProportion({ width, height }: Size, ratio: number): Size {
  return { width: roundHalfEven(width * ratio), height: roundHalfEven(height * ratio) };
}

/** Where a part in the middle begins, moved back where it would stick out. */
function startOf(whole: number, part: number): number {
  const start = Math.floor((whole - part) / 2);
  return start + part > whole ? start - (start + part - whole) : start;
}

function applies(condition: (typeof CONDITIONS)[number], own: Size, size: Size): boolean {
  switch (condition) {
    case 'always':
      return true;
    case 'downscale if bigger':
      return own.height > size.height || own.width > size.width;
    case 'upscale if smaller':
      return own.height < size.height || own.width < size.width;
    case 'if bigger area':
      return own.height * own.width > size.height * size.width;
    case 'if smaller area':
      return own.height * own.width < size.height * size.width;
  }
}

function applied(image: Image, interpolation: (typeof INTERPOLATIONS)[number], { size, frame }: Plan): Image {
  const scaled =
    interpolation === 'nearest' ? resizeNearest(image, size) : upscaleImage(image, interpolation, size);
  if (frame === undefined) return scaled;
  if (frame.kind === 'crop') return crop(scaled, IMAGE_ROWS, frame);
  const [batch, , , channels] = image.shape as Extents;
  return paste(tensor([batch, frame.height, frame.width, channels]), scaled, IMAGE_ROWS, frame.y, frame.x);
}

function cutToMultiple(image: Image, multiple: number): Image {
  const [, height, width] = image.shape as Extents;
  const [x, y] = [width % multiple, height % multiple];
  if (x === 0 && y === 0) return image;
  const rectangle = { x: Math.floor(x / 2), y: Math.floor(y / 2), width: width - x, height: height - y };
  return crop(image, IMAGE_ROWS, rectangle);
}

export const getImageSizePlus = defineNode({
  name: 'GetImageSize+',
  displayName: '🔧 Get Image Size',
  category: 'essentials/image utils',
  description: 'Width, height and number of images.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'count' },
  ],
  run: ({ image }) => ({ outputs: [image.shape[2]!, image.shape[1]!, image.shape[0]!] }),
});

const POSITIONS = [
  'top-left',
  'top-center',
  'top-right',
  'right-center',
  'bottom-right',
  'bottom-center',
  'bottom-left',
  'left-center',
  'center',
] as const;

const cropSide = int({ default: 256, min: 0, max: MAX_RESOLUTION, step: 8, tooltip: 'Pixels.' });
const offset = int({ default: 0, min: -99999, max: Infinity, step: 1, tooltip: 'Pixels.' });

export const imageCropPlus = defineNode({
  name: 'ImageCrop+',
  displayName: '🔧 Image Crop',
  category: 'essentials/image manipulation',
  description: 'Cuts a rectangle out of images, from a corner, a side or the middle.',
  required: {
    image: link('IMAGE'),
    width: cropSide,
    height: cropSide,
    position: combo(POSITIONS),
    x_offset: offset,
    y_offset: offset,
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'x' },
    { type: 'INT', name: 'y' },
  ],
  run({ image, width, height, position, x_offset, y_offset }) {
    const [, ownHeight, ownWidth] = image.shape as Extents;
    const size = { width: Math.min(ownWidth, width), height: Math.min(ownHeight, height) };
    const start = (own: number, part: number, low: string, high: string) =>
      position.includes(low) ? 0 : position.includes(high) ? own - part : roundHalfEven((own - part) / 2);
    const left = start(ownWidth, size.width, 'left', 'right') + x_offset;
    const top = start(ownHeight, size.height, 'top', 'bottom') + y_offset;
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    const rectangle = { x, y, width: left + size.width - x, height: top + size.height - y };
    return { outputs: [crop(image, IMAGE_ROWS, rectangle), x, y] };
  },
});
