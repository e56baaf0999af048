/** Porter and Duff, "Compositing Digital Images", 1984, and relatives (ComfyUI comfy_extras/nodes_compositing.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { formatShape, takeRows } from '../../imaging/tensor-ops.js';
import { upscaleImage } from '../../imaging/upscale.js';
import { combo, defineNode, link } from '../definition.js';

/** Of colours that are multiplied by their alpha: source and its alpha, destination and its alpha. */
type Formula = (s: number, sa: number, d: number, da: number) => number;

interface Mode {
  readonly alpha: Formula;
  readonly colour: Formula;
}

const over: Formula = (_s, sa, _d, da) => sa + da - sa * da;
const both: Formula = (_s, sa, _d, da) => sa * da;
const uncovered = (s: number, sa: number, d: number, da: number) => (1 - da) * s + (1 - sa) * d;

const MODES = {
  ADD: { alpha: (_s, sa, _d, da) => Math.min(sa + da, 1), colour: (s, _sa, d) => Math.min(s + d, 1) },
  CLEAR: { alpha: () => 0, colour: () => 0 },
  DARKEN: { alpha: over, colour: (s, sa, d, da) => uncovered(s, sa, d, da) + Math.min(s, d) },
  DST: { alpha: (_s, _sa, _d, da) => da, colour: (_s, _sa, d) => d },
  DST_ATOP: { alpha: (_s, sa) => sa, colour: (s, sa, d, da) => sa * d + (1 - da) * s },
  DST_IN: { alpha: both, colour: (_s, sa, d) => d * sa },
  DST_OUT: { alpha: (_s, sa, _d, da) => (1 - sa) * da, colour: (_s, sa, d) => (1 - sa) * d },
  DST_OVER: { alpha: (_s, sa, _d, da) => da + (1 - da) * sa, colour: (s, _sa, d, da) => d + (1 - da) * s },
  LIGHTEN: { alpha: over, colour: (s, sa, d, da) => uncovered(s, sa, d, da) + Math.max(s, d) },
  MULTIPLY: { alpha: both, colour: (s, _sa, d) => s * d },
  OVERLAY: {
    alpha: over,
    colour: (s, sa, d, da) => (2 * d < da ? 2 * s * d : sa * da - 2 * (da - s) * (sa - d)),
  },
  SCREEN: { alpha: over, colour: (s, _sa, d) => s + d - s * d },
  SRC: { alpha: (_s, sa) => sa, colour: (s) => s },
  SRC_ATOP: { alpha: (_s, _sa, _d, da) => da, colour: (s, sa, d, da) => da * s + (1 - sa) * d },
  SRC_IN: { alpha: both, colour: (s, _sa, _d, da) => s * da },
  SRC_OUT: { alpha: (_s, sa, _d, da) => (1 - da) * sa, colour: (s, _sa, _d, da) => (1 - da) * s },
  SRC_OVER: { alpha: (_s, sa, _d, da) => sa + (1 - sa) * da, colour: (s, sa, d) => s + (1 - sa) * d },
  XOR: { alpha: (_s, sa, _d, da) => (1 - da) * sa + (1 - sa) * da, colour: uncovered },
} as const satisfies Readonly<Record<string, Mode>>;
type ModeName = keyof typeof MODES;

/** Below it, nothing is left of a colour. */
const LEAST_ALPHA = 1e-5;

/** Row `index` of images or masks, 1×H×W×C, at a size. */
function rowAtSize(source: Tensor, index: number, height: number, width: number): Tensor {
  const row = takeRows(source, index, 1);
  const image = row.shape.length === 3 ? tensor([...row.shape, 1], row.data) : row;
  if (image.shape[1] === height && image.shape[2] === width) return image;
  return upscaleImage(image, 'bicubic', { height, width, crop: 'center' });
}

export const porterDuffImageComposite = defineNode({
  name: 'PorterDuffImageComposite',
  displayName: 'Porter-Duff Image Composite',
  category: 'image/compositing',
  description: 'Puts images together by their transparency; all are scaled to the destination.',
  required: {
    source: link('IMAGE'),
    source_alpha: link('MASK', { tooltip: 'White where the source is transparent.' }),
    destination: link('IMAGE'),
    destination_alpha: link('MASK', { tooltip: 'White where the destination is transparent.' }),
    mode: combo(Object.keys(MODES) as ModeName[], { default: 'DST', tooltip: 'How.' }),
  },
  optional: {},
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  run({ source, source_alpha, destination, destination_alpha, mode }) {
    const count = Math.min(
      ...[source, source_alpha, destination, destination_alpha].map(({ shape }) => shape[0]!),
    );
    const [, height, width, channels] = destination.shape as readonly [number, number, number, number];
    if (source.shape[3] !== channels) {
      throw new RangeError(
        `the images need as many channels: they are ${formatShape(source)} and ${formatShape(destination)}`,
      );
    }
    const { alpha, colour }: Mode = MODES[mode];
    const images = tensor([count, height, width, channels]);
    const masks = tensor([count, height, width]);
    for (let row = 0; row < count; row++) {
      const [s, d] = [source, destination].map((image) => rowAtSize(image, row, height, width).data);
      const [sMask, dMask] = [source_alpha, destination_alpha].map(
        (mask) => rowAtSize(mask, row, height, width).data,
      );
      for (let pixel = 0; pixel < height * width; pixel++) {
        const [sa, da] = [1 - sMask![pixel]!, 1 - dMask![pixel]!];
        for (let channel = 0; channel < channels; channel++) {
          const at = pixel * channels + channel;
          const [from, to] = [s![at]! * sa, d![at]! * da];
          const opaque = Math.fround(alpha(from, sa, to, da));
          const value = opaque > LEAST_ALPHA ? colour(from, sa, to, da) / opaque : 0;
          images.data[row * height * width * channels + at] = Math.min(Math.max(value, 0), 1);
          masks.data[row * height * width + pixel] = 1 - opaque;
        }
      }
    }
    return { outputs: [images, masks] };
  },
});
