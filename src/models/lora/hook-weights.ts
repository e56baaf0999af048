/** What hooks change weights by: a LoRA's factors, or the distance to another model (ComfyUI comfy/hooks.py, WeightHook). */
import type { DiffusionModel } from '../denoiser/diffusion-model.js';
import type { TextEncoders } from '../text/text-encoders.js';
import type { HookedWeights } from '../weights/hooks.js';
import type { WeightPatches } from '../weights/weight-patches.js';
import type { WeightSource } from '../weights/weight-source.js';
import { valuesOf } from '../weights/weight-values.js';
import { loraPatches, type LoraStrengths } from './apply-lora.js';

/** A LoRA that comes and goes. `name` is for messages. */
export function loraHook(name: string, weights: WeightSource, strengths: LoraStrengths): HookedWeights {
  const scaled = (factor: number): LoraStrengths => ({
    model: strengths.model * factor,
    clip: strengths.clip * factor,
  });
  return {
    identity: `lora ${weights.identity} ${strengths.model} ${strengths.clip}`,
    denoiserPatches: (model, factor) =>
      loraPatches(name, weights, { model }, scaled(factor)).denoiser ?? new Map(),
    textPatches: (clip, factor) => loraPatches(name, weights, { clip }, scaled(factor)).text,
  };
}

/** Another model of the same shapes, whose weights these ones move towards. */
export function modelHook(
  { model, clip }: { readonly model: DiffusionModel; readonly clip: TextEncoders },
  strengths: LoraStrengths,
): HookedWeights {
  return {
    identity: `model ${model.identity} ${clip.identity} ${strengths.model} ${strengths.clip}`,
    denoiserPatches: ({ weights }, factor) => towards(weights, model.weights, strengths.model * factor),
    textPatches: ({ weights }, factor) =>
      Object.fromEntries(
        Object.entries(weights).flatMap(([name, own]) => {
          const other = clip.weights[name];
          return other === undefined ? [] : [[name, towards(own, other, strengths.clip * factor)] as const];
        }),
      ),
  };
}

/** A share of the way from what weights were before their patches to another model's. */
function towards(own: WeightSource, other: WeightSource, share: number): WeightPatches {
  const before = own.unpatched ?? own;
  const patches = new Map<string, WeightPatches extends ReadonlyMap<string, infer List> ? List : never>();
  if (share === 0) return patches;
  const factor = Math.fround(share);
  for (const key of other.keys()) {
    if (!before.has(key)) continue;
    patches.set(key, [
      {
        identity: `towards ${other.identity} ${key} ${share}`,
        apply(values) {
          const [from, to] = [valuesOf(before.weight(key)), valuesOf(other.weight(key))];
          for (let index = 0; index < values.length; index++) {
            values[index]! += Math.fround(factor * Math.fround(to[index]! - from[index]!));
          }
        },
      },
    ]);
  }
  return patches;
}
