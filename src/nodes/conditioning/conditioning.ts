/** Joining, mixing and limiting conditionings (ComfyUI nodes.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { batchOf, formatShape, mapValues, mixValues } from '../../imaging/tensor-ops.js';
import { defineNode, float, link } from '../definition.js';
import type { Conditioning } from '../values.js';

/** The only entry that is mixed or appended: ComfyUI takes the first and warns about others. */
function firstEntry(conditioning: Conditioning, input: string) {
  const entry = conditioning[0];
  if (entry === undefined) throw new RangeError(`${input} holds no entry`);
  return entry;
}

export const conditioningCombine = defineNode({
  name: 'ConditioningCombine',
  displayName: 'Conditioning (Combine)',
  category: 'model/conditioning/transform',
  description: 'Puts two conditionings side by side; their predictions are averaged at each step.',
  required: { conditioning_1: link('CONDITIONING'), conditioning_2: link('CONDITIONING') },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning_1, conditioning_2 }) {
    return { outputs: [[...conditioning_1, ...conditioning_2]] };
  },
});

export const conditioningAverage = defineNode({
  name: 'ConditioningAverage',
  displayName: 'Conditioning (Average)',
  category: 'model/conditioning/transform',
  description: 'Mixes the first entry of one conditioning into every entry of another, value by value.',
  required: {
    conditioning_to: link('CONDITIONING'),
    conditioning_from: link('CONDITIONING', { tooltip: 'Only its first entry counts.' }),
    conditioning_to_strength: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Share of conditioning_to; the rest comes from conditioning_from.',
    }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning_to, conditioning_from, conditioning_to_strength: strength }) {
    const from = firstEntry(conditioning_from, 'conditioning_from');
    const mixed = conditioning_to.map((entry) => {
      const cond = mixValues(entry.cond, withTokens(from.cond, entry.cond.shape[1]!), strength);
      if (from.pooled === undefined) return { ...entry, cond };
      return { ...entry, cond, pooled: mixValues(entry.pooled ?? from.pooled, from.pooled, strength) };
    });
    return { outputs: [mixed] };
  },
});

/** Its name before ComfyUI lost the blank: workflows of 2023 have it. */
export const conditioningAverageWithBlank = { ...conditioningAverage, name: 'ConditioningAverage ' };

/** The first `tokens` tokens of N×T×C; what lacks is filled with zeros. */
function withTokens(cond: Tensor, tokens: number): Tensor {
  const [batch, own, features] = cond.shape as readonly [number, number, number];
  const result = tensor([batch, tokens, features]);
  const kept = Math.min(own, tokens) * features;
  for (let row = 0; row < batch; row++) {
    const start = row * own * features;
    result.data.set(cond.data.subarray(start, start + kept), row * tokens * features);
  }
  return result;
}

export const conditioningConcat = defineNode({
  name: 'ConditioningConcat',
  displayName: 'Conditioning (Concat)',
  category: 'model/conditioning/transform',
  description: "Appends the first entry's tokens of one conditioning to every entry of another.",
  required: {
    conditioning_to: link('CONDITIONING'),
    conditioning_from: link('CONDITIONING', { tooltip: 'Only its first entry counts.' }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning_to, conditioning_from }) {
    const from = firstEntry(conditioning_from, 'conditioning_from');
    return {
      outputs: [conditioning_to.map((entry) => ({ ...entry, cond: concatTokens(entry.cond, from.cond) }))],
    };
  },
});

function concatTokens(a: Tensor, b: Tensor): Tensor {
  const [batch, tokensA, features] = a.shape as readonly [number, number, number];
  const [, tokensB, featuresB] = b.shape as readonly [number, number, number];
  if (batch !== batchOf(b) || features !== featuresB) {
    throw new RangeError(
      `can't append tokens of shape ${formatShape(b)} to ${formatShape(a)}: are they from different text encoders?`,
    );
  }
  const result = tensor([batch, tokensA + tokensB, features]);
  for (let row = 0; row < batch; row++) {
    const start = row * (tokensA + tokensB) * features;
    const rowOf = (part: Tensor, tokens: number) =>
      part.data.subarray(row * tokens * features, (row + 1) * tokens * features);
    result.data.set(rowOf(a, tokensA), start);
    result.data.set(rowOf(b, tokensB), start + tokensA * features);
  }
  return result;
}

export const conditioningZeroOut = defineNode({
  name: 'ConditioningZeroOut',
  displayName: 'Conditioning Zero Out',
  category: 'model/conditioning/transform',
  description: 'Replaces the hidden states and the pooled output by zeros: no prompt at all.',
  required: { conditioning: link('CONDITIONING') },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning }) {
    const zeroed = conditioning.map((entry) => ({
      ...entry,
      cond: tensor(entry.cond.shape),
      ...(entry.pooled === undefined ? {} : { pooled: tensor(entry.pooled.shape) }),
    }));
    return { outputs: [zeroed] };
  },
});

const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.001, tooltip });

export const conditioningSetTimestepRange = defineNode({
  name: 'ConditioningSetTimestepRange',
  displayName: 'ConditioningSetTimestepRange',
  category: 'model/conditioning/transform',
  description: 'Lets a conditioning count during a part of sampling only.',
  required: {
    conditioning: link('CONDITIONING'),
    start: share(0, 'Share of sampling after which it begins.'),
    end: share(1, 'Share of sampling after which it ends.'),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, start, end }) {
    return {
      outputs: [conditioning.map((entry) => ({ ...entry, startPercent: start, endPercent: end }))],
    };
  },
});

export const conditioningMultiply = defineNode({
  name: 'ConditioningMultiply',
  displayName: 'Conditioning (Multiply)',
  category: 'model/conditioning/transform',
  description: 'Multiplies the hidden states and the pooled output.',
  required: {
    conditioning: link('CONDITIONING'),
    multiplier: float({ default: 1, min: -100, max: 100, step: 0.01, tooltip: 'By how much.' }),
  },
  optional: {},
  outputs: [{ type: 'CONDITIONING', name: 'CONDITIONING' }],
  run({ conditioning, multiplier }) {
    const factor = Math.fround(multiplier);
    const times = (value: Tensor): Tensor => mapValues(value, (each) => each * factor);
    const multiplied = conditioning.map((entry) => ({
      ...entry,
      cond: times(entry.cond),
      ...(entry.pooled === undefined ? {} : { pooled: times(entry.pooled) }),
    }));
    return { outputs: [multiplied] };
  },
});
