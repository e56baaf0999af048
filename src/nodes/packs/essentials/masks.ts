/** Masks blurred, mended, made of colours (ComfyUI_essentials mask.py). */
import {
  combo,
  crop,
  defineNode,
  float,
  floatOf,
  gaussianBlur,
  greyImage,
  IMAGE_ROWS,
  int,
  link,
  mapValues,
  pickRows,
  previewPrefix,
  roundHalfEven,
  saveImages,
  string,
  tensor,
  toPython,
  upscaleImage,
  type Image,
  type Mask,
} from '../../public.js';

const described = { category: 'essentials/mask', optional: {} };
const MASK_OUTPUT = [{ type: 'MASK', name: 'MASK' }] as const;
const amountOf = (initial: number, max: number, tooltip: string) =>
  int({ default: initial, min: 0, max, step: 1, tooltip });

/** torchvision's gaussian_blur of `size` pixels, made odd; edges are mirrored. */
function blurred(mask: Mask, size: number): Mask {
  const odd = size + ((size + 1) % 2);
  const radius = (odd - 1) / 2;
  if (radius === 0) return mask;
  const sigma = (0.3 * (radius - 1) + 0.8) / radius;
  const image = gaussianBlur(tensor([...mask.shape, 1], mask.data), { radius, sigma });
  return tensor(mask.shape, image.data);
}

export const maskBlur = defineNode({
  ...described,
  name: 'MaskBlur+',
  displayName: '🔧 Mask Blur',
  description: 'Blurs masks by a Gaussian.',
  required: {
    mask: link('MASK'),
    amount: amountOf(6, 256, 'Width of the Gaussian’s window, in pixels.'),
    device: combo(['auto', 'cpu', 'gpu'], { tooltip: 'Makes no difference.' }),
  },
  outputs: MASK_OUTPUT,
  run: ({ mask, amount }) => ({ outputs: [amount === 0 ? mask : blurred(mask, amount)] }),
});

const isSet = (mask: Mask) => mapValues(mask, (value) => (value > 0.5 ? 1 : 0));

/** torchvision blurs a mask of yes and no as numbers, and rounds the result to yes or no again. */
function smoothed(mask: Mask, amount: number): Mask {
  return mapValues(blurred(isSet(mask), amount), (value) => (value === 0 ? 0 : 1));
}

export const maskSmooth = defineNode({
  ...described,
  name: 'MaskSmooth+',
  displayName: '🔧 Mask Smooth',
  description: 'Black and white masks, wider by where a blur reaches.',
  required: { mask: link('MASK'), amount: amountOf(0, 127, 'Width of the blur’s window, in pixels.') },
  outputs: MASK_OUTPUT,
  run: ({ mask, amount }) => ({ outputs: [amount === 0 ? mask : smoothed(mask, amount)] }),
});

/** The largest or smallest value in a window of `size` pixels, edges mirrored (scipy.ndimage's grey_dilation and grey_erosion). */
function extreme(mask: Mask, size: number, pick: (a: number, b: number) => number, before: number): Mask {
  const [count = 0, height = 0, width = 0] = mask.shape;
  const mirrored = (at: number, length: number) => {
    const period = 2 * length;
    const place = ((at % period) + period) % period;
    return place < length ? place : period - 1 - place;
  };
  const along = (
    source: Float32Array,
    length: number,
    stride: number,
    lines: number,
    lineAt: (line: number) => number,
  ) => {
    const result = new Float32Array(source.length);
    for (let line = 0; line < lines; line++) {
      const start = lineAt(line);
      for (let at = 0; at < length; at++) {
        let best = source[start + mirrored(at - before, length) * stride]!;
        for (let offset = 1; offset < size; offset++) {
          best = pick(best, source[start + mirrored(at - before + offset, length) * stride]!);
        }
        result[start + at * stride] = best;
      }
    }
    return result;
  };
  const rows = along(mask.data, width, 1, count * height, (line) => line * width);
  const both = along(
    rows,
    height,
    width,
    count * width,
    (line) => Math.floor(line / width) * height * width + (line % width),
  );
  return tensor(mask.shape, both);
}

/** A window of an even size reaches one pixel further to the upper left where it erodes, to the lower right where it dilates. */
const eroded = (mask: Mask, size: number) => extreme(mask, size, Math.min, Math.floor(size / 2));
const dilated = (mask: Mask, size: number) => extreme(mask, size, Math.max, Math.floor((size - 1) / 2));

export const maskFix = defineNode({
  ...described,
  name: 'MaskFix+',
  displayName: '🔧 Mask Fix',
  description: 'Grows or shrinks masks, fills holes, takes specks out, smooths and blurs, in this order.',
  required: {
    mask: link('MASK'),
    erode_dilate: int({ default: 0, min: -256, max: 256, step: 1, tooltip: 'Pixels; negative ones shrink.' }),
    fill_holes: amountOf(0, 128, 'Holes up to this size, in pixels.'),
    remove_isolated_pixels: amountOf(0, 32, 'Specks up to this size, in pixels.'),
    smooth: amountOf(0, 256, 'Width of the window of a blur after which what is not black is white.'),
    blur: amountOf(0, 256, 'Width of the window of a last blur, in pixels.'),
  },
  outputs: MASK_OUTPUT,
  run({ mask, erode_dilate, fill_holes, remove_isolated_pixels, smooth, blur }) {
    let result = mask;
    if (erode_dilate !== 0)
      result = erode_dilate < 0 ? eroded(result, -erode_dilate) : dilated(result, erode_dilate);
    if (fill_holes > 0) result = eroded(dilated(result, fill_holes), fill_holes);
    if (remove_isolated_pixels > 0) {
      result = dilated(eroded(result, remove_isolated_pixels), remove_isolated_pixels);
    }
    if (smooth > 0) result = smoothed(result, smooth);
    return { outputs: [blur > 0 ? blurred(result, blur) : result] };
  },
});

const threshold = float({
  default: 0.15,
  min: 0,
  max: 1,
  step: 0.01,
  tooltip: 'How far from pure it may be.',
});

type Test = (value: number, limit: number) => boolean;
const high: Test = (value, limit) => value >= Math.fround(1 - limit);
const low: Test = (value, limit) => value < Math.fround(limit);
const blackish: Test = (value, limit) => value <= Math.fround(limit);

/** Which channels are high and which low. The blue of magenta is compared with > in the pack, the others with >=. */
const COLOURS: Readonly<Record<string, readonly [Test, Test, Test]>> = {
  red: [high, low, low],
  green: [low, high, low],
  blue: [low, low, high],
  cyan: [low, high, high],
  magenta: [high, low, (value, limit) => value > Math.fround(1 - limit)],
  yellow: [high, high, low],
  black: [blackish, blackish, blackish],
  white: [high, high, high],
};

export const maskFromRgbcmybw = defineNode({
  ...described,
  name: 'MaskFromRGBCMYBW+',
  displayName: '🔧 Mask From RGB/CMY/BW',
  description: 'A mask for each of eight pure colours.',
  required: { image: link('IMAGE'), threshold_r: threshold, threshold_g: threshold, threshold_b: threshold },
  outputs: [
    { type: 'MASK', name: 'red' },
    { type: 'MASK', name: 'green' },
    { type: 'MASK', name: 'blue' },
    { type: 'MASK', name: 'cyan' },
    { type: 'MASK', name: 'magenta' },
    { type: 'MASK', name: 'yellow' },
    { type: 'MASK', name: 'black' },
    { type: 'MASK', name: 'white' },
  ],
  run({ image, threshold_r, threshold_g, threshold_b }) {
    const limits = [threshold_r, threshold_g, threshold_b];
    const masks = Object.values(COLOURS).map((tests) =>
      maskOf(image, (channel) => tests.every((test, index) => test(channel(index), limits[index]!))),
    );
    const [red, green, blue, cyan, magenta, yellow, black, white] = masks as [
      Mask,
      Mask,
      Mask,
      Mask,
      Mask,
      Mask,
      Mask,
      Mask,
    ];
    return { outputs: [red, green, blue, cyan, magenta, yellow, black, white] };
  },
});

/** White where a pixel's channels are as wanted. */
function maskOf(image: Image, wanted: (channel: (index: number) => number) => boolean): Mask {
  const mask = tensor(image.shape.slice(0, 3));
  const channels = image.shape[3]!;
  for (let pixel = 0; pixel < mask.data.length; pixel++) {
    mask.data[pixel] = wanted((index) => image.data[pixel * channels + index]!) ? 1 : 0;
  }
  return mask;
}

const channelValue = int({ default: 255, min: 0, max: 255, step: 1 });

export const maskFromColor = defineNode({
  ...described,
  name: 'MaskFromColor+',
  displayName: '🔧 Mask From Color',
  description: 'White where images have a colour, or one near it.',
  required: {
    image: link('IMAGE'),
    red: channelValue,
    green: channelValue,
    blue: channelValue,
    threshold: int({
      default: 0,
      min: 0,
      max: 127,
      step: 1,
      tooltip: 'How far each channel may be from it.',
    }),
  },
  outputs: MASK_OUTPUT,
  run({ image, red, green, blue, threshold: range }) {
    const byte = (value: number) => roundHalfEven(Math.fround(Math.min(Math.max(value, 0), 1) * 255));
    const near = (value: number, colour: number) =>
      byte(value) >= Math.max(colour - range, 0) && byte(value) <= Math.min(colour + range, 255);
    return {
      outputs: [
        maskOf(image, (channel) => [red, green, blue].every((colour, index) => near(channel(index), colour))),
      ],
    };
  },
});

export const maskFromList = defineNode({
  ...described,
  name: 'MaskFromList+',
  displayName: '🔧 Mask From List',
  description: 'A mask of one value for each of a list.',
  required: {
    width: int({ default: 32, min: 0, max: 16384, step: 8 }),
    height: int({ default: 32, min: 0, max: 16384, step: 8 }),
  },
  optional: {
    values: link('*', { default: 0 }),
    str_values: string({ multiline: true, tooltip: 'Numbers between commas.' }),
  },
  outputs: MASK_OUTPUT,
  run({ width, height, values, str_values = '' }) {
    const given =
      values === undefined || values === null ? [] : Array.isArray(values) ? (values as unknown[]) : [values];
    const written = str_values === '' ? [] : str_values.split(',');
    const numbers = [...given, ...written].map((value) => {
      const known = toPython(value);
      const number = typeof known === 'string' ? floatOf(known) : Number(known ?? Number.NaN);
      if (number === undefined || Number.isNaN(number)) throw new TypeError(`${String(value)} is no number`);
      return Math.min(Math.max(number, 0), 1);
    });
    if (numbers.length === 0)
      throw new RangeError('there are no values: link some, or write them into str_values');
    const masks = tensor([numbers.length, height, width]);
    numbers.forEach((value, index) =>
      masks.data.fill(value, index * height * width, (index + 1) * height * width),
    );
    return { outputs: [masks] };
  },
});

export const maskPreviewPlus = defineNode({
  ...described,
  name: 'MaskPreview+',
  displayName: '🔧 Mask Preview',
  description: 'Saves masks as grey images into the temp folder, to look at.',
  required: { mask: link('MASK') },
  outputs: [{ type: 'IMAGE', name: 'images' }],
  outputNode: true,
  async run({ mask }, context) {
    const saving = { type: 'temp', prefix: previewPrefix(), compressionLevel: 4 } as const;
    const images = greyImage(mask);
    return { outputs: [images], ui: { images: await saveImages(images, saving, context) } };
  },
});

export const maskBoundingBox = defineNode({
  ...described,
  name: 'MaskBoundingBox+',
  displayName: '🔧 Mask Bounding Box',
  description: 'Cuts masks, and images beside them, to what is not black.',
  required: {
    mask: link('MASK'),
    padding: amountOf(0, 4096, 'Pixels around it.'),
    blur: amountOf(0, 256, 'Width of the window of a blur before, in pixels.'),
  },
  optional: { image_optional: link('IMAGE') },
  outputs: [
    { type: 'MASK', name: 'MASK' },
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'x' },
    { type: 'INT', name: 'y' },
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
  ],
  run({ mask, padding, blur, image_optional }) {
    const [count = 0, height = 0, width = 0] = mask.shape;
    const given = image_optional ?? greyImage(mask);
    const sized =
      given.shape[1] === height && given.shape[2] === width && given.shape[3] === width
        ? given
        : upscaleImage(given, 'bicubic', { width, height, crop: 'center' });
    const last = sized.shape[0]! - 1;
    const image = pickRows(
      sized,
      Array.from({ length: count }, (_, row) => Math.min(row, last)),
    );
    const soft = blur > 0 ? blurred(mask, blur) : mask;
    let [left, right, top, bottom] = [width, -1, height, -1];
    soft.data.forEach((value, at) => {
      if (value === 0) return;
      const [x, y] = [at % width, Math.floor(at / width) % height];
      [left, right, top, bottom] = [
        Math.min(left, x),
        Math.max(right, x),
        Math.min(top, y),
        Math.max(bottom, y),
      ];
    });
    if (right < 0) throw new RangeError('the mask is black all over');
    const [x, y] = [Math.max(0, left - padding), Math.max(0, top - padding)];
    const rectangle = {
      x,
      y,
      width: Math.min(width, right + 1 + padding) - x,
      height: Math.min(height, bottom + 1 + padding) - y,
    };
    return {
      outputs: [
        crop(soft, IMAGE_ROWS, rectangle),
        crop(image, IMAGE_ROWS, rectangle),
        x,
        y,
        rectangle.width,
        rectangle.height,
      ],
    };
  },
});
