/** Where, when and how strongly conditionings count, one or a pair at a time (ComfyUI comfy_extras/nodes_hooks.py, comfy/hooks.py). */
import { combo, defineNode, float, link } from '../definition.js';
import { combineHooks, type HookGroup } from '../../models/weights/hooks.js';
import type { Conditioning, ConditioningEntry, Mask, TimestepsRange } from '../values.js';

const conditioning = (tooltip: string) => link('CONDITIONING', { tooltip });
const strength = float({ default: 1, min: 0, max: 10, step: 0.01, tooltip: "The mask's weight." });
const set_cond_area = combo(['default', 'mask bounds'], {
  tooltip: 'Whether the model sees the whole picture or only the rectangle around the mask.',
});
const optional = {
  mask: link('MASK', { tooltip: 'Where it counts.' }),
  hooks: link('HOOKS', { tooltip: 'Change the model where it counts.' }),
  timesteps: link('TIMESTEPS_RANGE', { tooltip: 'When it counts.' }),
};
const one = [{ type: 'CONDITIONING', name: 'CONDITIONING' }] as const;
const pair = [
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
] as const;

interface Properties {
  readonly strength: number;
  readonly set_cond_area: 'default' | 'mask bounds';
  readonly mask?: Mask;
  readonly hooks?: HookGroup;
  readonly timesteps?: TimestepsRange;
}

function withProperties(given: Conditioning, properties: Properties): Conditioning {
  const { mask, hooks, timesteps, strength: maskStrength, set_cond_area: area } = properties;
  const masked = mask && { mask, maskStrength, setAreaToBounds: area !== 'default' };
  const timed = timesteps && { startPercent: timesteps.start, endPercent: timesteps.end };
  return given.map((entry) => ({ ...entry, ...hooked(entry, hooks), ...masked, ...timed }));
}

/** Added to those that an entry has. */
function hooked(entry: ConditioningEntry, hooks: HookGroup | undefined): Pick<ConditioningEntry, 'hooks'> {
  return hooks === undefined ? {} : { hooks: combineHooks(entry.hooks ?? [], hooks) };
}

function byDefault(given: Conditioning, hooks: HookGroup | undefined): Conditioning {
  return given.map((entry) => ({ ...entry, ...hooked(entry, hooks), isDefault: true }));
}

export const conditioningTimestepsRange = defineNode({
  name: 'ConditioningTimestepsRange',
  displayName: 'Timesteps Range',
  category: 'advanced/hooks',
  description: 'A part of sampling, what lies before it, and what lies after it.',
  required: {
    start_percent: float({
      default: 0,
      min: 0,
      max: 1,
      step: 0.001,
      tooltip: 'Share of sampling at which it begins.',
    }),
    end_percent: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.001,
      tooltip: 'Share of sampling at which it ends.',
    }),
  },
  optional: {},
  outputs: [
    { type: 'TIMESTEPS_RANGE', name: 'TIMESTEPS_RANGE' },
    { type: 'TIMESTEPS_RANGE', name: 'BEFORE_RANGE' },
    { type: 'TIMESTEPS_RANGE', name: 'AFTER_RANGE' },
  ],
  run: ({ start_percent: start, end_percent: end }) => ({
    outputs: [
      { start, end },
      { start: 0, end: start },
      { start: end, end: 1 },
    ],
  }),
});

export const conditioningSetProperties = defineNode({
  name: 'ConditioningSetProperties',
  displayName: 'Cond Set Props',
  category: 'advanced/hooks/cond single',
  description: 'Says where and when a conditioning counts.',
  required: { cond_NEW: conditioning('The conditioning.'), strength, set_cond_area },
  optional,
  outputs: one,
  run: ({ cond_NEW, ...properties }) => ({ outputs: [withProperties(cond_NEW, properties)] }),
});

export const conditioningSetPropertiesAndCombine = defineNode({
  name: 'ConditioningSetPropertiesAndCombine',
  displayName: 'Cond Set Props Combine',
  category: 'advanced/hooks/cond single',
  description: 'Says where and when a conditioning counts, and puts it beside another.',
  required: {
    cond: conditioning('The other.'),
    cond_NEW: conditioning('The conditioning.'),
    strength,
    set_cond_area,
  },
  optional,
  outputs: one,
  run: ({ cond, cond_NEW, ...properties }) => ({
    outputs: [[...cond, ...withProperties(cond_NEW, properties)]],
  }),
});

export const pairConditioningSetProperties = defineNode({
  name: 'PairConditioningSetProperties',
  displayName: 'Cond Pair Set Props',
  category: 'advanced/hooks/cond pair',
  description: 'Says where and when a pair of conditionings counts.',
  required: {
    positive_NEW: conditioning('The positive one.'),
    negative_NEW: conditioning('The negative one.'),
    strength,
    set_cond_area,
  },
  optional,
  outputs: pair,
  run: ({ positive_NEW, negative_NEW, ...properties }) => ({
    outputs: [withProperties(positive_NEW, properties), withProperties(negative_NEW, properties)],
  }),
});

export const pairConditioningSetPropertiesAndCombine = defineNode({
  name: 'PairConditioningSetPropertiesAndCombine',
  displayName: 'Cond Pair Set Props Combine',
  category: 'advanced/hooks/cond pair',
  description: 'Says where and when a pair of conditionings counts, and puts it beside another.',
  required: {
    positive: conditioning('The other positive one.'),
    negative: conditioning('The other negative one.'),
    positive_NEW: conditioning('The positive one.'),
    negative_NEW: conditioning('The negative one.'),
    strength,
    set_cond_area,
  },
  optional,
  outputs: pair,
  run: ({ positive, negative, positive_NEW, negative_NEW, ...properties }) => ({
    outputs: [
      [...positive, ...withProperties(positive_NEW, properties)],
      [...negative, ...withProperties(negative_NEW, properties)],
    ],
  }),
});

export const pairConditioningCombine = defineNode({
  name: 'PairConditioningCombine',
  displayName: 'Cond Pair Combine',
  category: 'advanced/hooks/cond pair',
  description: 'Puts a pair of conditionings beside another.',
  required: {
    positive_A: conditioning('The first positive one.'),
    negative_A: conditioning('The first negative one.'),
    positive_B: conditioning('The second positive one.'),
    negative_B: conditioning('The second negative one.'),
  },
  optional: {},
  outputs: pair,
  run: ({ positive_A, negative_A, positive_B, negative_B }) => ({
    outputs: [
      [...positive_A, ...positive_B],
      [...negative_A, ...negative_B],
    ],
  }),
});

export const conditioningSetDefaultCombine = defineNode({
  name: 'ConditioningSetDefaultCombine',
  displayName: 'Cond Set Default Combine',
  category: 'advanced/hooks/cond single',
  description: 'A conditioning that counts where another leaves room.',
  required: { cond: conditioning('The other.'), cond_DEFAULT: conditioning('What counts elsewhere.') },
  optional: { hooks: optional.hooks },
  outputs: one,
  run: ({ cond, cond_DEFAULT, hooks }) => ({ outputs: [[...cond, ...byDefault(cond_DEFAULT, hooks)]] }),
});

export const pairConditioningSetDefaultCombine = defineNode({
  name: 'PairConditioningSetDefaultCombine',
  displayName: 'Cond Pair Set Default Combine',
  category: 'advanced/hooks/cond pair',
  description: 'A pair of conditionings that counts where another leaves room.',
  required: {
    positive: conditioning('The other positive one.'),
    negative: conditioning('The other negative one.'),
    positive_DEFAULT: conditioning('The positive one that counts elsewhere.'),
    negative_DEFAULT: conditioning('The negative one that counts elsewhere.'),
  },
  optional: { hooks: optional.hooks },
  outputs: pair,
  run: ({ positive, negative, positive_DEFAULT, negative_DEFAULT, hooks }) => ({
    outputs: [
      [...positive, ...byDefault(positive_DEFAULT, hooks)],
      [...negative, ...byDefault(negative_DEFAULT, hooks)],
    ],
  }),
});
