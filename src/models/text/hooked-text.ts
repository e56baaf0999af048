/** Text encoders whose weights hooks change (ComfyUI comfy_extras/nodes_hooks.py, SetClipHooks, and comfy/sd.py, encode_from_tokens_scheduled). */
import {
  combineHooks,
  type HookGroup,
  type HookKeyframe,
  type HookKeyframes,
  type WeightHook,
} from '../weights/hooks.js';
import type { ScheduledText, TimedText } from './encoded-text.js';
import type { TextEncoders } from './text-encoders.js';

export interface TextHooks {
  /** Change the encoders' weights. */
  readonly hooks: HookGroup;
  /** Handed on with each prompt, for the denoiser. */
  readonly onPrompts: HookGroup | undefined;
  /** A prompt is encoded for each part of sampling in which the hooks' strengths stay; otherwise once, at full strength. */
  readonly isScheduled: boolean;
}

const ofHooked = new WeakMap<TextEncoders, { readonly own: TextEncoders; readonly given: TextHooks }>();

/** These take the place of hooks that the encoders have; without some for prompts, those stay. */
export function hookedText(text: TextEncoders, given: TextHooks): TextEncoders {
  const before = ofHooked.get(text);
  const own = before?.own ?? text;
  const hooks: TextHooks = { ...given, onPrompts: given.onPrompts ?? before?.given.onPrompts };
  const others = (next: TextEncoders): TextEncoders => hookedText(next, hooks);
  const hooked: TextEncoders = {
    identity: JSON.stringify([
      'hooked',
      own.identity,
      described(hooks.hooks),
      hooks.isScheduled,
      described(hooks.onPrompts ?? []),
    ]),
    weights: own.weights,
    loraNames: () => own.loraNames(),
    encode: (prompt, request) => encodeHooked(own, hooks, (encoders) => encoders.encode(prompt, request)),
    encodeParts: (texts, options) =>
      encodeHooked(own, hooks, (encoders) => encoders.encodeParts(texts, options)),
    withLayer: (stopAtLayer) => others(own.withLayer(stopAtLayer)),
    withLengths: (lengths) => others(own.withLengths(lengths)),
    withPatches: (patches) => others(own.withPatches(patches)),
  };
  ofHooked.set(hooked, { own, given: hooks });
  return hooked;
}

function described(hooks: HookGroup): unknown {
  return hooks.map(({ made, keyframes }) => [made.identity, keyframes]);
}

async function encodeHooked(
  own: TextEncoders,
  { hooks, onPrompts, isScheduled }: TextHooks,
  encode: (text: TextEncoders) => Promise<ScheduledText>,
): Promise<ScheduledText> {
  const handedOn = onPrompts === undefined ? {} : { hooks: onPrompts };
  if (!isScheduled) {
    const text = await encode(patchedBy(own, hooks, () => 1));
    return { ...text, ...handedOn };
  }
  const parts: TimedText[] = [];
  for (const { start, end, keyframeOf } of scheduleOf(hooks)) {
    const strengthOf = (hook: WeightHook): number => keyframeOf(hook)?.strength ?? 1;
    const { cond, pooled } = await encode(patchedBy(own, hooks, strengthOf));
    const encoded = pooled === undefined ? { cond } : { cond, pooled };
    parts.push({ ...encoded, textStartPercent: start, textEndPercent: end, ...handedOn });
  }
  return { ...parts[0]!, parts };
}

function patchedBy(
  own: TextEncoders,
  hooks: HookGroup,
  strengthOf: (hook: WeightHook) => number,
): TextEncoders {
  return combineHooks(hooks).reduce(
    (text, hook) => text.withPatches(hook.made.textPatches(own, strengthOf(hook))),
    own,
  );
}

interface SchedulePart {
  readonly start: number;
  readonly end: number;
  readonly keyframeOf: (hook: WeightHook) => HookKeyframe | undefined;
}

interface KeyframeRange {
  readonly start: number;
  readonly end: number;
  readonly keyframe: HookKeyframe | undefined;
}

/** The parts of sampling between which a hook's strength changes (HookGroup.get_hooks_for_clip_schedule). */
function scheduleOf(hooks: HookGroup): SchedulePart[] {
  const ranges = new Map(hooks.map((hook) => [hook, rangesOf(hook.keyframes)] as const));
  const all = [...ranges.values()].flat();
  const bounds = [...new Set([0, ...all.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  return bounds.slice(0, -1).map((start, index) => {
    const end = bounds[index + 1]!;
    const keyframeOf = (hook: WeightHook): HookKeyframe | undefined =>
      ranges.get(hook)?.find((range) => range.start < end && range.end > start)?.keyframe;
    return { start, end, keyframeOf };
  });
}

function rangesOf(keyframes: HookKeyframes): KeyframeRange[] {
  let [last] = keyframes;
  if (last === undefined) return [{ start: 0, end: 1, keyframe: undefined }];
  const ranges: KeyframeRange[] = [];
  for (const keyframe of keyframes) {
    if (keyframe.startPercent > last.startPercent && !isNear(keyframe.strength, last.strength)) {
      ranges.push({ start: last.startPercent, end: keyframe.startPercent, keyframe: last });
      last = keyframe;
    } else if (keyframe.startPercent === last.startPercent) {
      last = keyframe;
    }
  }
  if (!isNear(last.startPercent, 1)) ranges.push({ start: last.startPercent, end: 1, keyframe: last });
  return ranges;
}

/** Python's math.isclose. */
function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}
