/** Where in the picture a conditioning counts (ComfyUI nodes.py). */
import { combo, defineNode, float, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';
import type { Area, Conditioning } from '../values.js';

const strength = float({
  default: 1,
  min: 0,
  max: 10,
  step: 0.01,
  tooltip: 'Its weight beside other conditionings at the same place.',
});

function withArea(conditioning: Conditioning, area: Area, strength: number): Conditioning {
  return conditioning.map((entry) => ({ ...entry, area, strength, setAreaToBounds: false }));
}

const pixels = (spec: { readonly default: number; readonly min: number; readonly tooltip: string }) =>
  int({ ...spec, max: MAX_RESOLUTION, step: 8 });

export const conditioningSetArea = defineNode({
  name: 'ConditioningSetArea',
  displayName: 'Conditioning (Set Area)',
  category: 'model/conditioning/transform',
  description: 'Limits a conditioning to a rectangle, given in pixels.',
  required: {
    conditioning: link('CONDITIONING'),
    width: pixels({ default: 64, min: 64, tooltip: 'Width of the rectangle in pixels.' }),
    height: pixels({ default: 64, min: 64, tooltip: 'Height of the rectangle in pixels.' }),
    x: pixels({ default: 0, min: 0, tooltip: 'Its left edge in pixels.' }),
    y: pixels({ default: 0, min: 0, tooltip: 'Its upper edge in pixels.' }),
    strength,
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, width, height, x, y, strength }) {
    const latent = (extent: number) => Math.floor(extent / 8);
    const area: Area = {
      unit: 'pixel',
      height: latent(height),
      width: latent(width),
      y: latent(y),
      x: latent(x),
    };
    return { outputs: [withArea(conditioning, area, strength)] };
  },
});

const fraction = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.01, tooltip });

export const conditioningSetAreaPercentage = defineNode({
  name: 'ConditioningSetAreaPercentage',
  displayName: 'Conditioning (Set Area with Percentage)',
  category: 'model/conditioning/transform',
  description: "Limits a conditioning to a rectangle, given as fractions of the picture's sides.",
  required: {
    conditioning: link('CONDITIONING'),
    width: fraction(1, "Width of the rectangle over the picture's."),
    height: fraction(1, "Height of the rectangle over the picture's."),
    x: fraction(0, "Its left edge over the picture's width."),
    y: fraction(0, "Its upper edge over the picture's height."),
    strength,
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, width, height, x, y, strength }) {
    return {
      outputs: [withArea(conditioning, { unit: 'fraction', height, width, y, x }, strength)],
    };
  },
});

export const conditioningSetAreaStrength = defineNode({
  name: 'ConditioningSetAreaStrength',
  displayName: 'Conditioning (Set Area Strength)',
  category: 'model/conditioning/transform',
  description: 'Changes the weight of a conditioning beside others.',
  required: { conditioning: link('CONDITIONING'), strength },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, strength }) {
    return { outputs: [conditioning.map((entry) => ({ ...entry, strength }))] };
  },
});

export const conditioningSetMask = defineNode({
  name: 'ConditioningSetMask',
  displayName: 'Conditioning (Set Mask)',
  category: 'model/conditioning/transform',
  description: 'Limits a conditioning to where a mask is white.',
  required: {
    conditioning: link('CONDITIONING'),
    mask: link('MASK'),
    strength,
    set_cond_area: combo(['default', 'mask bounds'], {
      tooltip: 'Whether the model sees the whole picture or only the rectangle around the mask.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, mask, strength, set_cond_area }) {
    const masked = conditioning.map((entry) => ({
      ...entry,
      mask,
      setAreaToBounds: set_cond_area !== 'default',
      maskStrength: strength,
    }));
    return { outputs: [masked] };
  },
});
