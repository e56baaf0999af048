/** Edges, grey-scale morphology, colour differences (ComfyUI comfy_extras/nodes_canny.py, nodes_morphology.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { cannyEdges } from '../../imaging/canny.js';
import { greyImage, rgbOf } from '../../imaging/channels.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import { combo, defineNode, float, int, link } from '../definition.js';

const threshold = (initial: number) => float({ default: initial, min: 0.01, max: 0.99, step: 0.01 });

export const canny = defineNode({
  name: 'Canny',
  displayName: 'Detect Edges (Canny)',
  category: 'image/filters',
  description: 'White lines on the edges in images.',
  required: { image: link('IMAGE'), low_threshold: threshold(0.4), high_threshold: threshold(0.8) },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ image, low_threshold, high_threshold }) {
    const thresholds = { low: low_threshold, high: high_threshold };
    return { outputs: [greyImage(cannyEdges(rgbOf(image), thresholds))] };
  },
});

/** The largest or smallest value in a square window; what is outside doesn't count. An even window reaches further to the upper left. */
function extreme(image: Tensor, size: number, pick: (a: number, b: number) => number): Tensor {
  const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
  const before = Math.floor(size / 2);
  const along = (source: Float32Array, outer: number, length: number, inner: number) => {
    const result = new Float32Array(source.length);
    for (let line = 0; line < outer; line++) {
      for (let at = 0; at < length; at++) {
        const [first, last] = [Math.max(at - before, 0), Math.min(at - before + size, length)];
        for (let value = 0; value < inner; value++) {
          let best = source[(line * length + first) * inner + value]!;
          for (let place = first + 1; place < last; place++) {
            best = pick(best, source[(line * length + place) * inner + value]!);
          }
          result[(line * length + at) * inner + value] = best;
        }
      }
    }
    return result;
  };
  const rows = along(image.data, batch * height, width, channels);
  return tensor(image.shape, along(rows, batch, height, width * channels));
}

const erosion = (image: Tensor, size: number) => extreme(image, size, Math.min);
const dilation = (image: Tensor, size: number) => extreme(image, size, Math.max);
const difference = (one: Tensor, other: Tensor) => combineValues(one, other, (a, b) => a - b);

const OPERATIONS = {
  erode: erosion,
  dilate: dilation,
  open: (image: Tensor, size: number) => dilation(erosion(image, size), size),
  close: (image: Tensor, size: number) => erosion(dilation(image, size), size),
  gradient: (image: Tensor, size: number) => difference(dilation(image, size), erosion(image, size)),
  bottom_hat: (image: Tensor, size: number) => difference(OPERATIONS.close(image, size), image),
  top_hat: (image: Tensor, size: number) => difference(image, OPERATIONS.open(image, size)),
} as const;

export const morphology = defineNode({
  name: 'Morphology',
  displayName: 'Apply Morphology',
  category: 'image/filters',
  description: 'Grows or shrinks what is bright in images, and what is made of both.',
  required: {
    image: link('IMAGE'),
    operation: combo(['erode', 'dilate', 'open', 'close', 'gradient', 'bottom_hat', 'top_hat']),
    kernel_size: int({ default: 3, min: 3, max: 999, step: 1, tooltip: 'Side of the window, in pixels.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: ({ image, operation, kernel_size }) => ({ outputs: [OPERATIONS[operation](image, kernel_size)] }),
});

export const imageRgbToYuv = defineNode({
  name: 'ImageRGBToYUV',
  displayName: 'Image RGB to YUV',
  category: 'image/color',
  description: 'Brightness and two colour differences of images, each as a grey image.',
  required: { image: link('IMAGE') },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'Y' },
    { type: 'IMAGE', name: 'U' },
    { type: 'IMAGE', name: 'V' },
  ],
  run({ image }) {
    const rgb = rgbOf(image);
    const [bright, blueness, redness] = [0, 1, 2].map(() => tensor(rgb.shape));
    for (let at = 0; at < rgb.data.length; at += 3) {
      const [red, green, blue] = [rgb.data[at]!, rgb.data[at + 1]!, rgb.data[at + 2]!];
      const y = 0.299 * red + 0.587 * green + 0.114 * blue;
      bright!.data.fill(y, at, at + 3);
      blueness!.data.fill((blue - y) * 0.564 + 0.5, at, at + 3);
      redness!.data.fill((red - y) * 0.713 + 0.5, at, at + 3);
    }
    return { outputs: [bright!, blueness!, redness!] };
  },
});

export const imageYuvToRgb = defineNode({
  name: 'ImageYUVToRGB',
  displayName: 'Image YUV to RGB',
  category: 'image/color',
  description: 'Images of their brightness and two colour differences.',
  required: { Y: link('IMAGE'), U: link('IMAGE'), V: link('IMAGE') },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run({ Y, U, V }) {
    const [y, u, v] = [Y, U, V].map(meanChannel);
    if (y!.length !== u!.length || y!.length !== v!.length)
      throw new RangeError('Y, U and V must be of one size');
    const image = tensor([...Y.shape.slice(0, 3), 3]);
    y!.forEach((bright, pixel) => {
      const [cb, cr] = [u![pixel]! - 0.5, v![pixel]! - 0.5];
      const colour = [bright + 1.403 * cr, bright - 0.714 * cr - 0.344 * cb, bright + 1.773 * cb];
      image.data.set(
        colour.map((value) => Math.min(Math.max(value, 0), 1)),
        pixel * 3,
      );
    });
    return { outputs: [image] };
  },
});

function meanChannel(image: Tensor): Float32Array {
  const channels = image.shape[3]!;
  return Float32Array.from({ length: image.data.length / channels }, (_, pixel) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += image.data[pixel * channels + channel]!;
    return sum / channels;
  });
}
