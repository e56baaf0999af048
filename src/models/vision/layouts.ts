/** Image towers, whichever layout they have, under transformers' names (`vision_model.…`) (ComfyUI comfy/clip_vision.py, convert_to_transformers). */
import { openClipBlock } from '../clip/layouts.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived, underPrefix, type Derivation } from '../weights/weight-views.js';

const OPEN_CLIP_TOP: Readonly<Record<string, string>> = {
  class_embedding: 'vision_model.embeddings.class_embedding',
  'conv1.weight': 'vision_model.embeddings.patch_embedding.weight',
  positional_embedding: 'vision_model.embeddings.position_embedding.weight',
  'ln_post.bias': 'vision_model.post_layernorm.bias',
  'ln_post.weight': 'vision_model.post_layernorm.weight',
  'ln_pre.bias': 'vision_model.pre_layrnorm.bias',
  'ln_pre.weight': 'vision_model.pre_layrnorm.weight',
};

/** The tower in a file of its own. */
export function visionLayout(file: WeightSource): WeightSource {
  return visionLayoutUnder(file, 'visual.') ?? file;
}

/** The tower under a prefix of a checkpoint, if it is there. */
export function visionLayoutUnder(file: WeightSource, prefix: string): WeightSource | undefined {
  if (!file.has(`${prefix}transformer.resblocks.0.attn.in_proj_weight`)) {
    const tower = underPrefix(file, prefix);
    return tower.has('vision_model.embeddings.patch_embedding.weight') && prefix !== 'visual.'
      ? tower
      : undefined;
  }
  const names = new Map<string, string | Derivation>();
  for (const key of file.keys()) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    const top = OPEN_CLIP_TOP[name];
    if (top !== undefined) names.set(top, key);
    // open_clip multiplies by it from the right, transformers' is a linear layer.
    else if (name === 'proj') names.set('visual_projection.weight', { from: key, transposed: true });
    else for (const [ours, from] of openClipBlock(file, key, name, 'vision_model')) names.set(ours, from);
  }
  return derived(file, `vision ${prefix}`, names);
}
