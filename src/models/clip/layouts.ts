/**
 * CLIP's text towers, whichever layout they have, under Hugging Face's names
 * (`text_model.encoder.layers.0…`), as views of what is stored (ComfyUI comfy/supported_models.py,
 * process_clip_state_dict, and comfy/utils.py, clip_text_transformers_convert).
 */
import type { WeightSource } from '../weights/weight-source.js';
import { derived, type Derivation } from '../weights/weight-views.js';

type Derivations = Map<string, string | Derivation>;

/** transformers' CLIPTextModel under `prefix`, if it is there; its first releases had no `text_model.`. */
export function huggingFaceLayout(source: WeightSource, prefix: string): WeightSource | undefined {
  const names: Derivations = new Map();
  for (const key of source.keys()) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    names.set(name.startsWith('text_model.') ? name : `text_model.${name}`, key);
  }
  return names.size === 0 ? undefined : derived(source, prefix, names);
}

/** open_clip's text tower under `prefix`, if it is there. Some files have transformers' layout in its place, which is taken as it is. */
export function openClipLayout(source: WeightSource, prefix: string): WeightSource | undefined {
  const names: Derivations = new Map();
  for (const key of source.keys()) {
    if (!key.startsWith(prefix)) continue;
    for (const [name, derivation] of openClipNames(source, key, key.slice(prefix.length))) {
      names.set(name, derivation);
    }
  }
  return names.size === 0 ? undefined : derived(source, prefix, names);
}

const openClipTop: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
  'text_projection.weight': 'text_projection.weight',
};

const openClipLayers: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
};

/** What a tensor of open_clip's is in transformers' layout: mostly one, three where query, key and value lie in one. */
function openClipNames(
  source: WeightSource,
  key: string,
  name: string,
): (readonly [name: string, derivation: string | Derivation])[] {
  const top = openClipTop[name];
  if (top !== undefined) return [[top, key]];
  // open_clip multiplies by it from the right, transformers' is a linear layer.
  if (name === 'text_projection') return [['text_projection.weight', { from: key, transposed: true }]];
  if (name.startsWith('transformer.text_')) return [[name.slice('transformer.'.length), key]];

  return openClipBlock(source, key, name, 'text_model');
}

/** The same of a tensor of its transformer's blocks, under `tower` in transformers' layout: `text_model`, `vision_model`. */
export function openClipBlock(
  source: WeightSource,
  key: string,
  name: string,
  tower: string,
): (readonly [name: string, derivation: string | Derivation])[] {
  const block = /^transformer\.resblocks\.(\d+)\.(.+?)[._](weight|bias)$/.exec(name);
  if (block === null) return [];
  const [, index, layer, parameter] = block as unknown as [string, string, string, string];
  const path = `${tower}.encoder.layers.${index}`;
  if (layer === 'attn.in_proj') {
    const count = Math.floor((source.weight(key).shape[0] ?? 0) / 3);
    return ['q_proj', 'k_proj', 'v_proj'].map((projection, third) => [
      `${path}.self_attn.${projection}.${parameter}`,
      { from: key, rows: { start: third * count, count } },
    ]);
  }
  const known = openClipLayers[layer];
  return known === undefined ? [] : [[`${path}.${known}.${parameter}`, key]];
}
