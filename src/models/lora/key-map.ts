/**
 * Which keys of a LoRA file mean which weight: the prefixes that kohya's scripts, diffusers, PEFT, LyCORIS, SimpleTuner and
 * OneTrainer write (ComfyUI comfy/lora.py, model_lora_keys_unet and model_lora_keys_clip). Those that are no weight's own key with
 * dots or underscores are told by model and text encoders.
 */
import type { HookedDenoiser, HookedText } from '../weights/hooks.js';
import type { WeightRows } from '../weights/lora-name.js';

/** A weight of a model part. */
export interface LoraTarget {
  /** The text encoder's name; undefined for the denoiser. */
  readonly encoder?: string | undefined;
  /** The part's own key. */
  readonly key: string;
  /** Only these rows: a projection that the weight holds beside others. */
  readonly rows?: WeightRows | undefined;
}

/** Prefixes of a file's keys, in the order in which they are tried; where several name one weight, the last found counts. */
export type LoraKeyMap = Map<string, LoraTarget>;

const weightSuffix = '.weight';

export function addDenoiserKeys(map: LoraKeyMap, denoiser: HookedDenoiser): void {
  const { weights } = denoiser;
  for (const key of weights.keys()) {
    if (key.endsWith(weightSuffix)) {
      const layer = key.slice(0, -weightSuffix.length);
      map.set(`lora_unet_${layer.replaceAll('.', '_')}`, { key });
      map.set(`diffusion_model.${layer}`, { key });
    } else {
      map.set(`diffusion_model.${key}`, { key });
    }
  }
  for (const [name, key, rows] of denoiser.loraNames()) map.set(name, { key, rows });
}

export function addTextKeys(map: LoraKeyMap, text: HookedText): void {
  for (const { name, encoder, key } of text.loraNames()) map.set(name, { encoder, key });
}
