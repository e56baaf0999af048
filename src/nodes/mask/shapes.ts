/** Growing, fading and combining masks (ComfyUI comfy_extras/nodes_mask.py). */
import { tensor } from '../../compute/tensor.js';
import { dilate, erode } from '../../imaging/morphology.js';
import { crop, IMAGE_ROWS, paste, planesOf } from '../../imaging/planes.js';
import { combineValues, mapValues } from '../../imaging/tensor-ops.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { boolean, combo, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const pixels = (tooltip: string) => int({ default: 0, min: 0, max: MAX_RESOLUTION, step: 1, tooltip });

export const growMask = defineNode({
  name: 'GrowMask',
  displayName: 'Grow Mask',
  category: 'image/mask',
  description: 'Grows the white of masks, or shrinks it.',
  required: {
    mask: link('MASK'),
    expand: int({
      default: 0,
      min: -MAX_RESOLUTION,
      max: MAX_RESOLUTION,
      step: 1,
      tooltip: 'Pixels to grow by; negative ones shrink.',
    }),
    tapered_corners: boolean({ default: true, tooltip: 'Grows to a diamond rather than to a square.' }),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask, expand, tapered_corners }) {
    const step = expand < 0 ? erode : dilate;
    return { outputs: [step(mask, Math.abs(expand), tapered_corners ? 'cross' : 'square')] };
  },
});

export const featherMask = defineNode({
  name: 'FeatherMask',
  displayName: 'Feather Mask',
  category: 'image/mask',
  description: 'Fades masks towards their edges.',
  required: {
    mask: link('MASK'),
    left: pixels('Width of the fade at the left, in pixels.'),
    top: pixels('Height of the fade at the top, in pixels.'),
    right: pixels('Width of the fade at the right, in pixels.'),
    bottom: pixels('Height of the fade at the bottom, in pixels.'),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ mask, left, top, right, bottom }) {
    const { outer, height, width } = planesOf(mask, IMAGE_ROWS);
    const result = tensor(mask.shape, mask.data.slice());
    const fade = (start: number, stride: number, count: number, rate: number) => {
      for (let plane = 0; plane < outer; plane++) {
        for (let i = 0; i < count; i++) result.data[plane * height * width + start + i * stride]! *= rate;
      }
    };
    const fades = (wanted: number, extent: number, apply: (index: number, rate: number) => void) => {
      const length = Math.min(wanted, extent);
      for (let i = 0; i < length; i++) apply(i, Math.fround((i + 1) / length));
    };
    fades(left, width, (x, rate) => {
      fade(x, width, height, rate);
    });
    fades(right, width, (x, rate) => {
      fade(width - 1 - x, width, height, rate);
    });
    fades(top, height, (y, rate) => {
      fade(y * width, 1, width, rate);
    });
    fades(bottom, height, (y, rate) => {
      fade((height - 1 - y) * width, 1, width, rate);
    });
    return { outputs: [result] };
  },
});

const isSet = (value: number) => roundHalfEven(value) !== 0;

const OPERATIONS = {
  multiply: (a: number, b: number) => a * b,
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  and: (a: number, b: number) => Number(isSet(a) && isSet(b)),
  or: (a: number, b: number) => Number(isSet(a) || isSet(b)),
  xor: (a: number, b: number) => Number(isSet(a) !== isSet(b)),
} as const;

export const maskComposite = defineNode({
  name: 'MaskComposite',
  displayName: 'Combine Masks',
  category: 'image/mask',
  description: 'Combines a mask with another laid over it.',
  required: {
    destination: link('MASK'),
    source: link('MASK'),
    x: pixels('Left edge of source in destination, in pixels.'),
    y: pixels('Upper edge of source in destination, in pixels.'),
    operation: combo(['multiply', 'add', 'subtract', 'and', 'or', 'xor']),
  },
  optional: {},
  outputs: [{ type: 'MASK', name: 'MASK' }],
  run({ destination, source, x, y, operation }) {
    const { height, width } = planesOf(destination, IMAGE_ROWS);
    const visible = crop(source, IMAGE_ROWS, { y: 0, x: 0, height: height - y, width: width - x });
    const under = crop(destination, IMAGE_ROWS, {
      y,
      x,
      height: visible.shape[1]!,
      width: visible.shape[2]!,
    });
    const combined = combineValues(under, visible, OPERATIONS[operation]);
    const result = paste(destination, combined, IMAGE_ROWS, y, x);
    return { outputs: [mapValues(result, (value) => Math.min(Math.max(value, 0), 1))] };
  },
});
