/**
 * Which keys of a LoRA file mean which weight: the prefixes that kohya's scripts, diffusers, PEFT, LyCORIS, SimpleTuner and
 * OneTrainer write (ComfyUI comfy/lora.py, model_lora_keys_unet and model_lora_keys_clip).
 */
import type { ClipPart } from '../clip/clip-model.js';
import type { UnetConfig } from '../unet/config.js';
import type { WeightSource } from '../weight-source.js';
import { diffusersLayers } from './unet-names.js';

/** A weight of a model part. */
export interface LoraTarget {
  readonly part: 'unet' | ClipPart;
  readonly key: string;
}

/** Prefixes of a file's keys, in the order in which they are tried; where several name one weight, the last found counts. */
export type LoraKeyMap = Map<string, LoraTarget>;

const weightSuffix = '.weight';

export function addUnetKeys(map: LoraKeyMap, unet: UnetConfig, weights: WeightSource): void {
  for (const key of weights.keys()) {
    const target: LoraTarget = { part: 'unet', key };
    if (key.endsWith(weightSuffix)) {
      const layer = key.slice(0, -weightSuffix.length);
      map.set(`lora_unet_${underscored(layer)}`, target);
      map.set(`diffusion_model.${layer}`, target);
    } else {
      map.set(`diffusion_model.${key}`, target);
    }
  }
  for (const [theirs, ours] of diffusersLayers(unet)) {
    const target: LoraTarget = { part: 'unet', key: ours + weightSuffix };
    map.set(`lora_unet_${underscored(theirs)}`, target);
    map.set(`lycoris_${underscored(theirs)}`, target);
    const processor = withoutOutputIndex(theirs.replaceAll('.to_', '.processor.to_'));
    // The first is what ComfyUI knows; PEFT writes the layer's own name, with and without `unet.`.
    for (const name of [processor, theirs, withoutOutputIndex(theirs)]) {
      map.set(name, target);
      map.set(`unet.${name}`, target);
    }
  }
}

const clipLayers: Readonly<Record<string, string>> = {
  'mlp.fc1': 'mlp_fc1',
  'mlp.fc2': 'mlp_fc2',
  'self_attn.k_proj': 'self_attn_k_proj',
  'self_attn.q_proj': 'self_attn_q_proj',
  'self_attn.v_proj': 'self_attn_v_proj',
  'self_attn.out_proj': 'self_attn_out_proj',
};

export function addClipKeys(
  map: LoraKeyMap,
  encoders: Readonly<Partial<Record<ClipPart, WeightSource>>>,
): void {
  const parts = (['h', 'l', 'g'] as const).filter((part) => encoders[part] !== undefined);
  for (const part of parts) {
    for (const key of encoders[part]?.keys() ?? []) {
      if (!key.endsWith(weightSuffix)) continue;
      const layer = key.slice(0, -weightSuffix.length);
      map.set(`text_encoders.clip_${part}.transformer.${layer}`, { part, key });
    }
  }
  for (const part of parts) {
    const prefixes = encoderPrefixes(part, encoders.l !== undefined);
    for (const key of encoders[part]?.keys() ?? []) {
      const [, block, layer] = /^text_model\.encoder\.layers\.(\d+)\.(.+)\.weight$/.exec(key) ?? [];
      const kohya = layer === undefined ? undefined : clipLayers[layer];
      if (block === undefined || layer === undefined || kohya === undefined) continue;
      for (const prefix of prefixes.kohya) {
        map.set(`${prefix}_text_model_encoder_layers_${block}_${kohya}`, { part, key });
      }
      map.set(`${prefixes.diffusers}.text_model.encoder.layers.${block}.${layer}`, { part, key });
    }
  }
  const projection = 'text_projection.weight';
  if (encoders.g?.has(projection) === true) {
    map.set('lora_prior_te_text_projection', { part: 'g', key: projection });
    map.set('lora_te2_text_projection', { part: 'g', key: projection });
  }
  if (encoders.l?.has(projection) === true) {
    map.set('lora_te1_text_projection', { part: 'l', key: projection });
  }
}

/** SDXL's bigG is the second encoder, the refiner's the only one. */
function encoderPrefixes(
  part: ClipPart,
  besideL: boolean,
): { readonly kohya: readonly string[]; readonly diffusers: string } {
  if (part !== 'g') return { kohya: ['lora_te', 'lora_te1'], diffusers: 'text_encoder' };
  if (besideL) return { kohya: ['lora_te2'], diffusers: 'text_encoder_2' };
  return { kohya: ['lora_te', 'lora_prior_te'], diffusers: 'text_encoder' };
}

function underscored(name: string): string {
  return name.replaceAll('.', '_');
}

/** diffusers' attention processors call `to_out.0` just `to_out`. */
function withoutOutputIndex(name: string): string {
  return name.endsWith('.to_out.0') ? name.slice(0, -2) : name;
}
