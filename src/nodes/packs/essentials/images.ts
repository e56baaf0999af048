/** Images changed pixel by pixel, flipped, cut into tiles (ComfyUI_essentials image.py). */
import {
  batchOf,
  combo,
  concatRows,
  crop,
  defineNode,
  flipColumns,
  flipRows,
  float,
  IMAGE_ROWS,
  int,
  link,
  rgbOf,
  takeRows,
  tensor,
  type Image,
} from '../../public.js';

type Extents = readonly [batch: number, height: number, width: number, channels: number];

const manipulation = { category: 'essentials/image manipulation', optional: {} };
const processing = { category: 'essentials/image processing', optional: {} };
const AXES = ['x', 'y', 'xy'] as const;

const within = (value: number) => Math.min(Math.max(value, 0), 1);

export const imageFlipPlus = defineNode({
  ...manipulation,
  name: 'ImageFlip+',
  displayName: '🔧 Image Flip',
  description: 'Mirrors images left to right, upside down, or both.',
  required: { image: link('IMAGE'), axis: combo(AXES) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, axis }) {
    const upright = axis.includes('y') ? flipRows(image, IMAGE_ROWS) : image;
    return { outputs: [axis.includes('x') ? flipColumns(upright, IMAGE_ROWS) : upright] };
  },
});

export const maskFlip = defineNode({
  category: 'essentials/mask',
  optional: {},
  name: 'MaskFlip+',
  displayName: '🔧 Mask Flip',
  description: 'Mirrors masks left to right, upside down, or both.',
  required: { mask: link('MASK'), axis: combo(AXES) },
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask, axis }) {
    const upright = axis.includes('y') ? flipRows(mask, IMAGE_ROWS) : mask;
    return { outputs: [axis.includes('x') ? flipColumns(upright, IMAGE_ROWS) : upright] };
  },
});

const GREYS = {
  'luminance (Rec.709)': (r: number, g: number, b: number) => 0.2126 * r + 0.7152 * g + 0.0722 * b,
  'luminance (Rec.601)': (r: number, g: number, b: number) => 0.299 * r + 0.587 * g + 0.114 * b,
  average: (r: number, g: number, b: number) => (r + g + b) / 3,
  lightness: (r: number, g: number, b: number) => (Math.max(r, g, b) + Math.min(r, g, b)) / 2,
} as const;

/** RGB images with a colour for each of their own. */
function mapColours(
  image: Image,
  map: (red: number, green: number, blue: number) => readonly [number, number, number],
): Image {
  const result = tensor(image.shape);
  for (let at = 0; at < image.data.length; at += 3) {
    result.data.set(map(image.data[at]!, image.data[at + 1]!, image.data[at + 2]!), at);
  }
  return result;
}

export const imageDesaturate = defineNode({
  ...processing,
  name: 'ImageDesaturate+',
  displayName: '🔧 Image Desaturate',
  description: 'Takes colour out of images.',
  required: {
    image: link('IMAGE'),
    factor: float({ default: 1, min: 0, max: 1, step: 0.05, tooltip: 'How much of it.' }),
    method: combo(['luminance (Rec.709)', 'luminance (Rec.601)', 'average', 'lightness']),
  },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, factor, method }) {
    const grey = GREYS[method];
    const faded = mapColours(rgbOf(image), (r, g, b) => {
      const shade = factor * grey(r, g, b);
      return [r, g, b].map((value) => within((1 - factor) * value + shade)) as [number, number, number];
    });
    return { outputs: [faded] };
  },
});

export const imagePosterize = defineNode({
  ...processing,
  name: 'ImagePosterize+',
  displayName: '🔧 Image Posterize',
  description: 'White where images are brighter than a value, black elsewhere.',
  required: { image: link('IMAGE'), threshold: float({ default: 0.5, min: 0, max: 1, step: 0.05 }) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, threshold }) {
    const [batch, height, width, channels] = image.shape as Extents;
    const result = tensor([batch, height, width, 3]);
    const limit = Math.fround(threshold);
    for (let pixel = 0; pixel < batch * height * width; pixel++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) {
        sum = Math.fround(sum + image.data[pixel * channels + channel]!);
      }
      if (Math.fround(sum / channels) > limit) result.data.fill(1, pixel * 3, pixel * 3 + 3);
    }
    return { outputs: [result] };
  },
});

export const imageCasharpening = defineNode({
  ...processing,
  name: 'ImageCASharpening+',
  displayName: '🔧 Image Contrast Adaptive Sharpening',
  description: 'Sharpens images, less where the contrast is high already.',
  required: { image: link('IMAGE'), amount: float({ default: 0.8, min: 0, max: 1, step: 0.05 }) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, amount }) {
    const [batch, height, width, channels] = image.shape as Extents;
    const result = tensor(image.shape);
    const strength = amount * (1 / 5 - 1 / 8) + 1 / 8;
    for (let index = 0; index < result.data.length; index++) {
      const channel = index % channels;
      const pixel = (index - channel) / channels;
      const x = pixel % width;
      const y = Math.floor(pixel / width) % height;
      const row = Math.floor(pixel / width / height);
      // Black outside.
      const at = (dx: number, dy: number) => {
        const inside = x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height;
        return inside ? image.data[((row * height + y + dy) * width + x + dx) * channels + channel]! : 0;
      };
      const [up, left, own, right, down] = [at(0, -1), at(-1, 0), at(0, 0), at(1, 0), at(0, 1)];
      const cross = [up, left, own, right, down];
      const corners = [at(-1, -1), at(1, -1), at(-1, 1), at(1, 1)];
      const low = Math.max(Math.min(...cross), 0) + Math.max(Math.min(...corners), 0);
      const high = Math.min(Math.max(...cross), 1) + Math.min(Math.max(...corners), 1);
      const weight = -Math.sqrt((1 / (high + 1e-5)) * Math.min(low, 2 - high)) * strength;
      result.data[index] = within(((up + left + right + down) * weight + own) / (1 + 4 * weight));
    }
    if (batch === 0) throw new RangeError('there is no image in the batch');
    return { outputs: [result] };
  },
});

export const imageRemoveAlpha = defineNode({
  category: 'essentials/image utils',
  optional: {},
  name: 'ImageRemoveAlpha+',
  displayName: '🔧 Image Remove Alpha',
  description: 'Images without their alpha channel.',
  required: { image: link('IMAGE') },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ image }) => ({ outputs: [image.shape[3] === 4 ? rgbOf(image) : image] }),
});

const count = int({ default: 2, min: 1, max: 256, step: 1 });
const overlap = int({ default: 0, min: 0, max: 8192, step: 1, tooltip: 'Pixels that neighbours share.' });

/** Where a tile begins along one side. */
function tileStart(index: number, tile: number, shared: number, whole: number): number {
  const start = index * tile - (index > 0 ? shared : 0);
  return start + tile + shared > whole ? whole - tile - shared : start;
}

export const imageTile = defineNode({
  ...manipulation,
  name: 'ImageTile+',
  displayName: '🔧 Image Tile',
  description: 'Cuts images into tiles that may overlap.',
  required: {
    image: link('IMAGE'),
    rows: count,
    cols: count,
    overlap: float({
      default: 0,
      min: 0,
      max: 0.5,
      step: 0.01,
      tooltip: 'Share of a tile that neighbours share.',
    }),
    overlap_x: overlap,
    overlap_y: overlap,
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'INT', name: 'tile_width' },
    { type: 'INT', name: 'tile_height' },
    { type: 'INT', name: 'overlap_x' },
    { type: 'INT', name: 'overlap_y' },
  ],
  run({ image, rows, cols, overlap: share, overlap_x, overlap_y }) {
    const [, ownHeight, ownWidth] = image.shape as Extents;
    const [height, width] = [Math.floor(ownHeight / rows), Math.floor(ownWidth / cols)];
    const sharedOf = (tile: number, pixels: number, tiles: number) =>
      tiles === 1 ? 0 : Math.min(Math.floor(tile / 2), Math.trunc(tile * share) + pixels);
    const [sharedY, sharedX] = [sharedOf(height, overlap_y, rows), sharedOf(width, overlap_x, cols)];
    const tiles = Array.from({ length: rows * cols }, (_, index) =>
      crop(image, IMAGE_ROWS, {
        y: tileStart(Math.floor(index / cols), height, sharedY, height * rows),
        x: tileStart(index % cols, width, sharedX, width * cols),
        height: height + sharedY,
        width: width + sharedX,
      }),
    );
    return {
      outputs: [tiles.reduce(concatRows), width + sharedX, height + sharedY, sharedX, sharedY],
    };
  },
});

export const imageUntile = defineNode({
  ...manipulation,
  name: 'ImageUntile+',
  displayName: '🔧 Image Untile',
  description: 'Puts tiles together again; where they overlap, one fades into the other.',
  required: { tiles: link('IMAGE'), overlap_x: overlap, overlap_y: overlap, rows: count, cols: count },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ tiles, overlap_x, overlap_y, rows, cols }) {
    const [, tileHeight, tileWidth, channels] = tiles.shape as Extents;
    if (batchOf(tiles) < rows * cols) {
      throw new RangeError(`${rows} × ${cols} tiles are needed, there are ${batchOf(tiles)}`);
    }
    const [height, width] = [tileHeight - overlap_y, tileWidth - overlap_x];
    if ((rows > 1 && overlap_y > height) || (cols > 1 && overlap_x > width)) {
      throw new RangeError('the overlap must be no more than half a tile');
    }
    const result = tensor([1, rows * height, cols * width, channels]);
    const fade = (at: number, shared: number, first: boolean) =>
      first || at >= shared ? 1 : shared === 1 ? 0 : at / (shared - 1);
    for (let index = 0; index < rows * cols; index++) {
      const tile = takeRows(tiles, index, 1);
      const [row, column] = [Math.floor(index / cols), index % cols];
      const top = tileStart(row, height, overlap_y, rows * height);
      const left = tileStart(column, width, overlap_x, cols * width);
      for (let y = 0; y < tileHeight; y++) {
        for (let x = 0; x < tileWidth; x++) {
          const weight = Math.fround(fade(y, overlap_y, row === 0) * fade(x, overlap_x, column === 0));
          for (let channel = 0; channel < channels; channel++) {
            const into = ((top + y) * cols * width + left + x) * channels + channel;
            const value = Math.fround(tile.data[(y * tileWidth + x) * channels + channel]! * weight);
            result.data[into] = Math.fround(result.data[into]! * (1 - weight)) + value;
          }
        }
      }
    }
    return { outputs: [result] };
  },
});
