/** Changes of weights that count where prompts do, and when (ComfyUI comfy_extras/nodes_hooks.py). */
import { loraHook, modelHook } from '../../models/lora/hook-weights.js';
import { hookedText } from '../../models/text/hooked-text.js';
import {
  addKeyframe,
  combineHooks,
  withKeyframes,
  type HookGroup,
  type HookKeyframes,
} from '../../models/weights/hooks.js';
import { boolean, combo, defineNode, float, int, link } from '../definition.js';
import { modelFingerprint } from '../files/model-files.js';
import { interpolated, interpolations } from './interpolated.js';
import type { RunContext } from '../context.js';

const hooksOutput = [{ type: 'HOOKS', name: 'HOOKS' }] as const;
const keyframesOutput = [{ type: 'HOOK_KEYFRAMES', name: 'HOOK_KF' }] as const;
const before = { prev_hooks: link('HOOKS', { tooltip: 'Hooks that count as well.' }) };
const beforeKeyframes = { prev_hook_kf: link('HOOK_KEYFRAMES', { tooltip: 'Keyframes beside these.' }) };
const strength = (of: string) =>
  float({ default: 1, min: -20, max: 20, step: 0.01, tooltip: `How strongly it changes ${of}.` });
const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.001, tooltip });
const print_keyframes = boolean({ default: false, tooltip: 'Nothing is printed here.' });
const lora_name = combo((folders) => folders.list('loras'), { tooltip: 'The LoRA.' });
const ckpt_name = combo((folders) => folders.list('checkpoints'), { tooltip: 'The checkpoint.' });

function withLora(
  name: string,
  strengths: { readonly model: number; readonly clip: number },
  previous: HookGroup = [],
  { folders, models }: RunContext,
): HookGroup {
  if (strengths.model === 0 && strengths.clip === 0) return previous;
  const made = loraHook(name, models.weights(folders.resolve('loras', name)), strengths);
  return combineHooks(previous, [{ made, keyframes: [] }]);
}

function withModel(
  name: string,
  strengths: { readonly model: number; readonly clip: number },
  previous: HookGroup = [],
  { folders, models }: RunContext,
): HookGroup {
  const made = modelHook(models.checkpoint(folders.resolve('checkpoints', name)), strengths);
  return combineHooks(previous, [{ made, keyframes: [] }]);
}

export const createHookLora = defineNode({
  name: 'CreateHookLora',
  displayName: 'Create Hook LoRA',
  category: 'advanced/hooks/create',
  description: 'A LoRA that counts for the prompts that it is set on.',
  required: { lora_name, strength_model: strength('the model'), strength_clip: strength('text encoders') },
  optional: before,
  outputs: hooksOutput,
  fingerprint: ({ lora_name: name }, folders) => modelFingerprint(folders, 'loras', name),
  run: ({ lora_name: name, strength_model: model, strength_clip: clip, prev_hooks }, context) => ({
    outputs: [withLora(name, { model, clip }, prev_hooks, context)],
  }),
});

export const createHookLoraModelOnly = defineNode({
  name: 'CreateHookLoraModelOnly',
  displayName: 'Create Hook LoRA (MO)',
  category: 'advanced/hooks/create',
  description: 'A LoRA that counts for the prompts that it is set on, in the diffusion model alone.',
  required: { lora_name, strength_model: strength('the model') },
  optional: before,
  outputs: hooksOutput,
  fingerprint: ({ lora_name: name }, folders) => modelFingerprint(folders, 'loras', name),
  run: ({ lora_name: name, strength_model: model, prev_hooks }, context) => ({
    outputs: [withLora(name, { model, clip: 0 }, prev_hooks, context)],
  }),
});

export const createHookModelAsLora = defineNode({
  name: 'CreateHookModelAsLora',
  displayName: 'Create Hook Model as LoRA',
  category: 'advanced/hooks/create',
  description: "A checkpoint towards whose weights a model's own move for the prompts that it is set on.",
  required: { ckpt_name, strength_model: strength('the model'), strength_clip: strength('text encoders') },
  optional: before,
  outputs: hooksOutput,
  fingerprint: ({ ckpt_name: name }, folders) => modelFingerprint(folders, 'checkpoints', name),
  run: ({ ckpt_name: name, strength_model: model, strength_clip: clip, prev_hooks }, context) => ({
    outputs: [withModel(name, { model, clip }, prev_hooks, context)],
  }),
});

export const createHookModelAsLoraModelOnly = defineNode({
  name: 'CreateHookModelAsLoraModelOnly',
  displayName: 'Create Hook Model as LoRA (MO)',
  category: 'advanced/hooks/create',
  description: "A checkpoint towards whose diffusion model a model's weights move.",
  required: { ckpt_name, strength_model: strength('the model') },
  optional: before,
  outputs: hooksOutput,
  fingerprint: ({ ckpt_name: name }, folders) => modelFingerprint(folders, 'checkpoints', name),
  run: ({ ckpt_name: name, strength_model: model, prev_hooks }, context) => ({
    outputs: [withModel(name, { model, clip: 0 }, prev_hooks, context)],
  }),
});

export const setHookKeyframes = defineNode({
  name: 'SetHookKeyframes',
  displayName: 'Set Hook Keyframes',
  category: 'advanced/hooks/scheduling',
  description: 'Says how strongly hooks count as sampling goes on.',
  required: { hooks: link('HOOKS', { tooltip: 'The hooks.' }) },
  optional: { hook_kf: link('HOOK_KEYFRAMES', { tooltip: 'When they count how strongly.' }) },
  outputs: hooksOutput,
  run: ({ hooks, hook_kf }) => ({
    outputs: [hook_kf === undefined ? hooks : withKeyframes(hooks, hook_kf)],
  }),
});

export const createHookKeyframe = defineNode({
  name: 'CreateHookKeyframe',
  displayName: 'Create Hook Keyframe',
  category: 'advanced/hooks/scheduling',
  description: 'From when on hooks count how strongly.',
  required: {
    strength_mult: float({
      default: 1,
      min: -20,
      max: 20,
      step: 0.01,
      tooltip: 'Multiplies their strengths.',
    }),
    start_percent: share(0, 'Share of sampling at which it begins.'),
  },
  optional: beforeKeyframes,
  outputs: keyframesOutput,
  run: ({ strength_mult, start_percent, prev_hook_kf }) => ({
    outputs: [
      addKeyframe(prev_hook_kf ?? [], {
        startPercent: start_percent,
        strength: strength_mult,
        guaranteedSteps: 1,
      }),
    ],
  }),
});

/** The first of them holds for a step at least. */
function addedSeries(
  previous: HookKeyframes | undefined,
  percents: Float32Array,
  strengths: ArrayLike<number>,
): HookKeyframes {
  return percents.reduce<HookKeyframes>(
    (keyframes, startPercent, index) =>
      addKeyframe(keyframes, {
        startPercent,
        strength: strengths[index]!,
        guaranteedSteps: index === 0 ? 1 : 0,
      }),
    previous ?? [],
  );
}

const span = {
  start_percent: share(0, 'Share of sampling at which the first begins.'),
  end_percent: share(1, 'Share of sampling at which the last begins.'),
};
const strengthBound = (tooltip: string) => float({ default: 1, min: 0, max: 10, step: 0.001, tooltip });

export const createHookKeyframesInterpolated = defineNode({
  name: 'CreateHookKeyframesInterpolated',
  displayName: 'Create Hook Keyframes Interp.',
  category: 'advanced/hooks/scheduling',
  description: 'Keyframes whose strengths go from one to another.',
  required: {
    strength_start: strengthBound("The first keyframe's strength."),
    strength_end: strengthBound("The last keyframe's strength."),
    interpolation: combo(interpolations, { tooltip: 'How it goes from one to the other.' }),
    ...span,
    keyframes_count: int({ default: 5, min: 2, max: 100, step: 1, tooltip: 'How many there are.' }),
    print_keyframes,
  },
  optional: beforeKeyframes,
  outputs: keyframesOutput,
  run({
    strength_start,
    strength_end,
    interpolation,
    start_percent,
    end_percent,
    keyframes_count,
    prev_hook_kf,
  }) {
    const percents = interpolated(start_percent, end_percent, keyframes_count, 'linear');
    const strengths = interpolated(strength_start, strength_end, keyframes_count, interpolation);
    return { outputs: [addedSeries(prev_hook_kf, percents, strengths)] };
  },
});

export const createHookKeyframesFromFloats = defineNode({
  name: 'CreateHookKeyframesFromFloats',
  displayName: 'Create Hook Keyframes From Floats',
  category: 'advanced/hooks/scheduling',
  description: 'A keyframe for each strength of a list.',
  required: {
    floats_strength: link('FLOATS', { default: -1, forceInput: true, tooltip: 'The strengths.' }),
    ...span,
    print_keyframes,
  },
  optional: beforeKeyframes,
  outputs: keyframesOutput,
  run({ floats_strength, start_percent, end_percent, prev_hook_kf }) {
    const strengths = typeof floats_strength === 'number' ? [floats_strength] : floats_strength;
    const percents = interpolated(start_percent, end_percent, strengths.length, 'linear');
    return { outputs: [addedSeries(prev_hook_kf, percents, strengths)] };
  },
});

const letters = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'] as const;

function combining(count: 2 | 4 | 8) {
  const optional = Object.fromEntries(
    letters.slice(0, count).map((letter) => [`hooks_${letter}`, link('HOOKS', { tooltip: 'Hooks.' })]),
  );
  return defineNode({
    name: `CombineHooks${count}`,
    displayName: `Combine Hooks [${count}]`,
    category: 'advanced/hooks/combine',
    description: 'Hooks that count together.',
    required: {},
    optional,
    outputs: hooksOutput,
    run: (hooks) => ({
      outputs: [combineHooks(...Object.values(hooks).filter((each) => each !== undefined))],
    }),
  });
}

export const combineHooks2 = combining(2);
export const combineHooks4 = combining(4);
export const combineHooks8 = combining(8);

export const setClipHooks = defineNode({
  name: 'SetClipHooks',
  displayName: 'Set CLIP Hooks',
  category: 'advanced/hooks/clip',
  description: 'Lets hooks change text encoders, and the model for prompts that these encode.',
  required: {
    clip: link('CLIP', { tooltip: 'The text encoders.' }),
    apply_to_conds: boolean({ default: true, tooltip: 'Whether encoded prompts hand the hooks on.' }),
    schedule_clip: boolean({
      default: false,
      tooltip: "Whether prompts are encoded anew where the hooks' strengths change.",
    }),
  },
  optional: { hooks: link('HOOKS', { tooltip: 'The hooks.' }) },
  outputs: [{ type: 'CLIP', name: 'CLIP' }],
  run({ clip, apply_to_conds, schedule_clip, hooks }) {
    if (hooks === undefined) return { outputs: [clip] };
    const onPrompts = apply_to_conds ? hooks : undefined;
    return { outputs: [hookedText(clip, { hooks, onPrompts, isScheduled: schedule_clip })] };
  },
});
