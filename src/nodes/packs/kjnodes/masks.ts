/** Masks grown, blurred, spread (ComfyUI-KJNodes nodes/mask_nodes.py). */
import {
  batchOf,
  boolean,
  concatRows,
  defineNode,
  dilate,
  erode,
  float,
  int,
  link,
  mapValues,
  pillowGaussianBlur,
  roundHalfEven,
  takeRows,
  tensor,
  type Mask,
} from '../../public.js';

const category = 'KJNodes/masking';
const MAX_RESOLUTION = 16384;

export const growMaskWithBlur = defineNode({
  name: 'GrowMaskWithBlur',
  displayName: 'Grow Mask With Blur',
  category,
  description: 'Grows or shrinks the white of masks, more from one to the next if wanted, and blurs it.',
  required: {
    mask: link('MASK'),
    expand: int({
      default: 0,
      min: -MAX_RESOLUTION,
      max: MAX_RESOLUTION,
      step: 1,
      tooltip: 'Pixels; negative ones shrink.',
    }),
    incremental_expandrate: float({
      default: 0,
      min: 0,
      max: 100,
      step: 0.1,
      tooltip: 'Pixels more for each mask.',
    }),
    tapered_corners: boolean({ default: true, tooltip: 'Grows to a diamond rather than to a square.' }),
    flip_input: boolean({ default: false, tooltip: 'Swaps black and white before.' }),
    blur_radius: float({ default: 0, min: 0, max: 100, step: 0.1, tooltip: 'Of a last blur, in pixels.' }),
    lerp_alpha: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Share of a mask beside the one before.',
    }),
    decay_factor: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'How much of the one before is added.',
    }),
  },
  optional: { fill_holes: boolean({ default: false, tooltip: 'Makes white what is enclosed by white.' }) },
  outputs: [
    { type: 'MASK', name: 'mask' },
    { type: 'MASK', name: 'mask_inverted' },
  ],
  run({
    mask,
    expand,
    incremental_expandrate,
    tapered_corners,
    flip_input,
    blur_radius,
    fill_holes = false,
    ...blend
  }) {
    const source = flip_input ? mapValues(mask, (value) => 1 - value) : mask;
    const footprint = tapered_corners ? 'cross' : 'square';
    const grown: Mask[] = [];
    let growth = expand;
    for (let row = 0; row < batchOf(source); row++) {
      const own = takeRows(source, row, 1);
      const steps = Math.abs(roundHalfEven(growth));
      let current = (growth < 0 ? erode : dilate)(own, steps, footprint);
      growth += growth < 0 ? -incremental_expandrate : incremental_expandrate;
      if (fill_holes) current = filled(current);
      grown.push(blended(current, grown.at(-1), blend.lerp_alpha, blend.decay_factor));
    }
    const masks = (blur_radius === 0 ? grown : grown.map((each) => blurred(each, blur_radius))).reduce(
      concatRows,
    );
    return { outputs: [masks, mapValues(masks, (value) => 1 - value)] };
  },
});

function blended(mask: Mask, before: Mask | undefined, alpha: number, decay: number): Mask {
  if (before === undefined) return mask;
  let result = mask;
  if (alpha < 1) {
    result = tensor(
      mask.shape,
      mask.data.map((value, at) => Math.fround(alpha * value) + Math.fround((1 - alpha) * before.data[at]!)),
    );
  }
  if (decay < 1) {
    const sum = result.data.map((value, at) => value + Math.fround(decay * before.data[at]!));
    const highest = sum.reduce((most, value) => Math.max(most, value), -Infinity);
    result = tensor(
      mask.shape,
      sum.map((value) => value / highest),
    );
  }
  return result;
}

/** Black is what can be reached from outside over black (scipy.ndimage's binary_fill_holes). */
function filled(mask: Mask): Mask {
  const [, height = 0, width = 0] = mask.shape;
  const result = tensor(mask.shape);
  result.data.fill(1);
  const stack: number[] = [];
  const visit = (y: number, x: number) => {
    const at = y * width + x;
    if (y < 0 || x < 0 || y >= height || x >= width || result.data[at] === 0 || mask.data[at]! > 0) return;
    result.data[at] = 0;
    stack.push(at);
  };
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) visit(y, x);
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) visit(y, x);
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const [y, x] = [Math.floor(at / width), at % width];
    visit(y - 1, x);
    visit(y + 1, x);
    visit(y, x - 1);
    visit(y, x + 1);
  }
  return result;
}

/** By Pillow, in 8 bits. */
function blurred(mask: Mask, radius: number): Mask {
  const [, height = 0, width = 0] = mask.shape;
  const bytes = Uint8Array.from(mask.data, (value) => Math.min(Math.max(Math.fround(255 * value), 0), 255));
  const soft = pillowGaussianBlur(bytes, width, height, radius);
  return tensor(
    mask.shape,
    Float32Array.from(soft, (value) => value / 255),
  );
}

export const remapMaskRange = defineNode({
  name: 'RemapMaskRange',
  displayName: 'Remap Mask Range',
  category,
  description: 'Spreads the values of masks between two others.',
  required: {
    mask: link('MASK'),
    min: float({ default: 0, min: -10, max: 1, step: 0.01 }),
    max: float({ default: 1, min: 0, max: 10, step: 0.01 }),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'mask' }],
  run({ mask, min, max }) {
    const highest = mask.data.reduce((most, value) => Math.max(most, value), 0);
    const scale = highest > 0 ? highest : 1;
    return {
      outputs: [mapValues(mask, (value) => Math.min(Math.max((value / scale) * (max - min) + min, 0), 1))],
    };
  },
});
