/** Changes of weights that count where a prompt does, and come and go while a model samples (ComfyUI comfy/hooks.py). */
import type { EncoderLoraName, LoraName } from './lora-name.js';
import type { WeightPatches } from './weight-patches.js';
import type { WeightSource } from './weight-source.js';

/** From a share of sampling on, how much a hook counts. */
export interface HookKeyframe {
  /** 0 to 1. */
  readonly startPercent: number;
  readonly strength: number;
  /** It holds for as many steps, whatever comes next; for none where sampling begins after it. */
  readonly guaranteedSteps: number;
}

/** Sorted by their start; hooks with the same list go from one to the next together. */
export type HookKeyframes = readonly HookKeyframe[];

/** Weights that a hook may change, and the names that LoRAs have for them. */
export interface HookedDenoiser {
  readonly weights: WeightSource;
  loraNames(): Iterable<LoraName>;
}

export interface HookedText {
  readonly weights: Readonly<Record<string, WeightSource>>;
  loraNames(): Iterable<EncoderLoraName>;
}

/** What hooks of one making add, at `factor` of their strengths. */
export interface HookedWeights {
  /** Changes with what it gives. */
  readonly identity: string;
  denoiserPatches(denoiser: HookedDenoiser, factor: number): WeightPatches;
  /** By text encoder. */
  textPatches(text: HookedText, factor: number): Readonly<Record<string, WeightPatches>>;
}

export interface WeightHook {
  /** Of two with the same, a group has one. */
  readonly made: HookedWeights;
  readonly keyframes: HookKeyframes;
}

/** Hooks that count together, in the order in which their changes are added. */
export type HookGroup = readonly WeightHook[];

/** Of hooks made alike, the first stays. */
export function combineHooks(...groups: readonly HookGroup[]): HookGroup {
  const combined: WeightHook[] = [];
  for (const hook of groups.flat()) {
    if (!combined.some(({ made }) => made === hook.made)) combined.push(hook);
  }
  return combined;
}

/** All of a group with the same keyframes. */
export function withKeyframes(hooks: HookGroup, keyframes: HookKeyframes): HookGroup {
  const own = [...keyframes];
  return hooks.map((hook) => ({ ...hook, keyframes: own }));
}

/** Keyframes with one more; of those that start together, the later counts. */
export function addKeyframe(keyframes: HookKeyframes, added: HookKeyframe): HookKeyframes {
  return [...keyframes, added].sort((a, b) => a.startPercent - b.startPercent);
}
