/** Sizes of images (ComfyUI-KJNodes nodes/image_nodes.py, ImageResizeKJ, ImageResizeKJv2, ImagePadKJ). */
import {
  batchOf,
  boolean,
  combo,
  crop,
  defineNode,
  floatOf,
  greyImage,
  IMAGE_ROWS,
  int,
  link,
  paste,
  roundHalfEven,
  string,
  tensor,
  upscaleImage,
  type Image,
  type ImageUpscaleMethod,
  type Mask,
} from '../../public.js';

const category = 'KJNodes/image';
const MAX_RESOLUTION = 16384;
type Extents = readonly [batch: number, height: number, width: number, channels: number];

interface Size {
  readonly width: number;
  readonly height: number;
}

const UPSCALE_METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;
const side = (tooltip: string) => int({ default: 512, min: 0, max: MAX_RESOLUTION, step: 1, tooltip });
const width = side('Width in pixels; 0 follows from the height or the image.');
const height = side('Height in pixels; 0 follows from the width or the image.');
const divisible_by = int({
  default: 2,
  min: 0,
  max: 512,
  step: 1,
  tooltip: 'Sides are cut to multiples of this.',
});

function sizeOf(image: Image): Size {
  return { width: image.shape[2]!, height: image.shape[1]! };
}

/** As large as fits into `wanted`, in the image's proportion; a side of 0 follows from the other. */
function inProportion(own: Size, wanted: Size): Size {
  if (wanted.width === 0 && wanted.height === 0) return wanted;
  if (wanted.width === 0)
    return { ...wanted, width: roundHalfEven(own.width * (wanted.height / own.height)) };
  if (wanted.height === 0)
    return { ...wanted, height: roundHalfEven(own.height * (wanted.width / own.width)) };
  const ratio = Math.min(wanted.width / own.width, wanted.height / own.height);
  return { width: roundHalfEven(own.width * ratio), height: roundHalfEven(own.height * ratio) };
}

function multipleOf({ width: across, height: down }: Size, multiple: number): Size {
  if (multiple <= 1) return { width: across, height: down };
  return { width: across - (across % multiple), height: down - (down % multiple) };
}

export const imageResizeKj = defineNode({
  name: 'ImageResizeKJ',
  displayName: 'Resize Image (deprecated)',
  category,
  description: 'Resizes images.',
  required: {
    image: link('IMAGE'),
    width,
    height,
    upscale_method: combo(UPSCALE_METHODS),
    keep_proportion: boolean({ default: false }),
    divisible_by,
  },
  optional: {
    get_image_size: link('IMAGE', { tooltip: 'An image whose size is taken.' }),
    crop: combo(['disabled', 'center', '0'], {
      tooltip: 'Whether the image is cut to the new aspect ratio first.',
    }),
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
  ],
  // Old workflows have the number 0, which means to cut.
  validate: { inputs: ['crop'], check: () => undefined },
  run({
    image,
    width: across,
    height: down,
    upscale_method,
    keep_proportion,
    get_image_size,
    crop: cut,
    ...more
  }) {
    const own = sizeOf(image);
    const wanted = get_image_size === undefined ? { width: across, height: down } : sizeOf(get_image_size);
    const kept = keep_proportion && get_image_size === undefined;
    const size = kept
      ? inProportion(own, wanted)
      : { width: wanted.width || own.width, height: wanted.height || own.height };
    const target = get_image_size === undefined ? multipleOf(size, more.divisible_by) : size;
    const cropped = cut === undefined || cut === 'disabled' ? 'disabled' : 'center';
    const resized = upscaleImage(image, upscale_method, { ...target, crop: cropped });
    return { outputs: [resized, target.width, target.height] };
  },
});

const KEPT = [
  'stretch',
  'resize',
  'pad',
  'pad_edge',
  'pad_edge_pixel',
  'crop',
  'pillarbox_blur',
  'total_pixels',
] as const;
const POSITIONS = ['center', 'top', 'bottom', 'left', 'right'] as const;
type Position = (typeof POSITIONS)[number];

export const imageResizeKjv2 = defineNode({
  name: 'ImageResizeKJv2',
  displayName: 'Resize Image v2',
  category,
  description: 'Resizes images and masks beside them: stretched, in proportion, padded or cut.',
  required: {
    image: link('IMAGE'),
    width,
    height,
    upscale_method: combo([...UPSCALE_METHODS, 'nvidia_rtx_vsr'], { tooltip: 'nvidia_rtx_vsr is not here.' }),
    keep_proportion: combo<(typeof KEPT)[number]>(KEPT),
    pad_color: string({ default: '0, 0, 0', tooltip: 'Of the padding: numbers, or #rrggbb.' }),
    crop_position: combo(POSITIONS, {
      default: 'center',
      tooltip: 'What is kept, or where the image lies in its padding.',
    }),
    divisible_by,
  },
  optional: {
    mask: link('MASK'),
    device: combo(['cpu', 'gpu'], { tooltip: 'Makes no difference.' }),
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'MASK', name: 'mask' },
  ],
  run({ image, upscale_method, keep_proportion, pad_color, crop_position, mask, ...given }) {
    if (upscale_method === 'nvidia_rtx_vsr')
      throw new RangeError('nvidia_rtx_vsr is not here: choose another upscale_method');
    if (keep_proportion === 'pillarbox_blur')
      throw new RangeError('pillarbox_blur is not here: choose another keep_proportion');
    const own = sizeOf(image);
    const wanted = { width: given.width, height: given.height };
    const pads = keep_proportion.startsWith('pad');
    const scaled = scaledSize(keep_proportion, own, wanted);
    const margin = pads ? marginOf(wanted, scaled, crop_position) : NO_MARGIN;
    const target = multipleOf(scaled, given.divisible_by);
    const method = upscale_method;
    const ownMask = maskFor(mask, own);
    const part = keep_proportion === 'crop' ? partOf(own, target, crop_position) : undefined;
    const cut = part === undefined ? image : crop(image, IMAGE_ROWS, part);
    const resized = upscaleImage(cut, method, target);
    const masked =
      ownMask && resizedMask(part === undefined ? ownMask : crop(ownMask, IMAGE_ROWS, part), method, target);
    const padded = Object.values(margin).some((pixels) => pixels > 0)
      ? withMargin(resized, masked, fitted(margin, target, given.divisible_by), {
          mode: keep_proportion,
          color: pad_color,
        })
      : { image: resized, mask: masked };
    const [, down, across] = padded.image.shape as Extents;
    return { outputs: [padded.image, across, down, padded.mask ?? tensor([1, 64, 64])] };
  },
});

function scaledSize(kept: (typeof KEPT)[number], own: Size, wanted: Size): Size {
  if (kept === 'total_pixels') {
    const [pixels, aspect] = [wanted.width * wanted.height, own.width / own.height];
    return { width: Math.trunc(Math.sqrt(pixels * aspect)), height: Math.trunc(Math.sqrt(pixels / aspect)) };
  }
  if (kept !== 'resize' && !kept.startsWith('pad')) {
    return { width: wanted.width || own.width, height: wanted.height || own.height };
  }
  return wanted.width === 0 && wanted.height === 0 ? own : inProportion(own, wanted);
}

/** A mask of the image's size; the 64 × 64 ones that stand for none are none. */
function maskFor(mask: Mask | undefined, own: Size): Mask | undefined {
  if (mask === undefined) return undefined;
  const [, down, across] = mask.shape;
  if (down === own.height && across === own.width) return mask;
  if (down === 64 && across === 64) return undefined;
  return resizedMask(mask, 'bilinear', own);
}

function resizedMask(mask: Mask, method: ImageUpscaleMethod, target: Size): Mask {
  if (method === 'lanczos') {
    // As a grey image, whose red is taken.
    const grey = upscaleImage(greyImage(mask), method, target);
    return tensor(
      grey.shape.slice(0, 3),
      grey.data.filter((_, at) => at % 3 === 0),
    );
  }
  const resized = upscaleImage(tensor([...mask.shape, 1], mask.data), method, target);
  return tensor(resized.shape.slice(0, 3), resized.data);
}

interface Margin {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const NO_MARGIN: Margin = { left: 0, right: 0, top: 0, bottom: 0 };

function marginOf(whole: Size, part: Size, position: Position): Margin {
  const [across, down] = [whole.width - part.width, whole.height - part.height];
  const left = position === 'left' ? 0 : position === 'right' ? across : Math.floor(across / 2);
  const top = position === 'top' ? 0 : position === 'bottom' ? down : Math.floor(down / 2);
  return { left, right: across - left, top, bottom: down - top };
}

/** Wider to the right and below, until the whole is a multiple. */
function fitted(margin: Margin, inner: Size, multiple: number): Margin {
  if (multiple <= 1) return margin;
  const more = (whole: number) => (multiple - (whole % multiple)) % multiple;
  return {
    ...margin,
    right: margin.right + more(inner.width + margin.left + margin.right),
    bottom: margin.bottom + more(inner.height + margin.top + margin.bottom),
  };
}

/** What is kept of an image whose aspect ratio becomes that of `target`. */
function partOf(own: Size, target: Size, position: Position) {
  const aspect = target.width / target.height;
  const wide = own.width / own.height > aspect;
  const part = {
    width: wide ? roundHalfEven(own.height * aspect) : own.width,
    height: wide ? own.height : roundHalfEven(own.width / aspect),
  };
  const [across, down] = [own.width - part.width, own.height - part.height];
  return {
    ...part,
    x: position === 'left' ? 0 : position === 'right' ? across : Math.floor(across / 2),
    y: position === 'top' ? 0 : position === 'bottom' ? down : Math.floor(down / 2),
  };
}

interface Padding {
  readonly mode: string;
  readonly color: string;
}

/** Padded with a colour, with the mean of each edge, or with the edges' own pixels; the mask is white where nothing was. */
function withMargin(image: Image, mask: Mask | undefined, margin: Margin, padding: Padding) {
  const [batch, down, across, channels] = image.shape as Extents;
  const { left, top } = margin;
  const [height2, width2] = [down + top + margin.bottom, across + left + margin.right];
  const result = tensor([batch, height2, width2, channels]);
  const color = padding.mode === 'pad' ? colorOf(padding.color, channels) : [];
  for (let row = 0; row < batch; row++) {
    const means = padding.mode === 'pad_edge' ? edgeMeans(image, row) : undefined;
    for (let y = 0; y < height2; y++) {
      for (let x = 0; x < width2; x++) {
        const [innerY, innerX] = [
          Math.min(Math.max(y - top, 0), down - 1),
          Math.min(Math.max(x - left, 0), across - 1),
        ];
        const from = ((row * down + innerY) * across + innerX) * channels;
        // The sides are drawn over what is above and below.
        const edge =
          x < left
            ? 'left'
            : x >= left + across
              ? 'right'
              : y < top
                ? 'top'
                : y >= top + down
                  ? 'bottom'
                  : undefined;
        const into = ((row * height2 + y) * width2 + x) * channels;
        for (let channel = 0; channel < channels; channel++) {
          const own = image.data[from + channel]!;
          result.data[into + channel] =
            edge === undefined || padding.mode === 'pad_edge_pixel'
              ? own
              : means === undefined
                ? color[channel]!
                : means[edge][channel]!;
        }
      }
    }
  }
  return {
    image: result,
    mask: mask === undefined ? outside(batch, margin, down, across) : replicated(mask, margin),
  };
}

function edgeMeans(image: Image, row: number): Readonly<Record<keyof Margin, readonly number[]>> {
  const [, down, across, channels] = image.shape as Extents;
  const mean = (count: number, at: (index: number) => readonly [number, number]) =>
    Array.from({ length: channels }, (_, channel) => {
      let sum = 0;
      for (let index = 0; index < count; index++) {
        const [y, x] = at(index);
        sum += image.data[((row * down + y) * across + x) * channels + channel]!;
      }
      return sum / count;
    });
  return {
    top: mean(across, (x) => [0, x]),
    bottom: mean(across, (x) => [down - 1, x]),
    left: mean(down, (y) => [y, 0]),
    right: mean(down, (y) => [y, across - 1]),
  };
}

function outside(batch: number, { left, right, top, bottom }: Margin, down: number, across: number): Mask {
  const mask = tensor([batch, down + top + bottom, across + left + right]);
  mask.data.fill(1);
  return paste(mask, tensor([batch, down, across]), IMAGE_ROWS, top, left);
}

function replicated(mask: Mask, { left, right, top, bottom }: Margin): Mask {
  const [, down = 0, across = 0] = mask.shape;
  const [height2, width2] = [down + top + bottom, across + left + right];
  const result = tensor([batchOf(mask), height2, width2]);
  result.data.forEach((_, at) => {
    const x = Math.min(Math.max((at % width2) - left, 0), across - 1);
    const y = Math.min(Math.max((Math.floor(at / width2) % height2) - top, 0), down - 1);
    result.data[at] = mask.data[(Math.floor(at / width2 / height2) * down + y) * across + x]!;
  });
  return result;
}

/** `r, g, b` of 0 to 255 or 0 to 1, one number for a grey, or #rrggbb. Throws `RangeError`, where the pack takes black and says so in its log. */
function colorOf(text: string, channels: number): readonly number[] {
  const hex = /^#?([0-9a-f]{6})$/i.exec(text.trim())?.[1];
  const bytes =
    hex === undefined ? bytesOf(text) : [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const values = bytes?.length === 1 ? [bytes[0]!, bytes[0]!, bytes[0]!] : bytes;
  if (values === undefined || values.length < channels) {
    throw new RangeError(
      `pad_color ${JSON.stringify(text.slice(0, 60))} is no colour of ${channels} channels: write "255, 0, 0" or "#ff0000"`,
    );
  }
  return values.map((value) => Math.min(Math.max(value, 0), 255) / 255);
}

function bytesOf(text: string): readonly number[] | undefined {
  const numbers = text.split(',').map(floatOf);
  if (numbers.includes(undefined)) return undefined;
  const known = numbers as number[];
  const shares = known.every((value) => value >= 0 && value <= 1);
  return known.map((value) => Math.trunc(shares ? value * 255 : value));
}
