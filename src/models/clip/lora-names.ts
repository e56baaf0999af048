/** What LoRA files call the weights of CLIP's text towers (ComfyUI comfy/lora.py, model_lora_keys_clip). */
import type { WeightSource } from '../weights/weight-source.js';

/** Where a tower stands in its family. */
export interface ClipLoraPrefixes {
  readonly kohya: readonly string[];
  readonly diffusers: string;
  /** Whole names of the text projection. */
  readonly projection: readonly string[];
}

const weightSuffix = '.weight';
const projectionKey = 'text_projection.weight';

const layers: Readonly<Record<string, string>> = {
  'mlp.fc1': 'mlp_fc1',
  'mlp.fc2': 'mlp_fc2',
  'self_attn.k_proj': 'self_attn_k_proj',
  'self_attn.q_proj': 'self_attn_q_proj',
  'self_attn.v_proj': 'self_attn_v_proj',
  'self_attn.out_proj': 'self_attn_out_proj',
};

/** Names of the weights of the tower called `tower`, in the order in which they are tried. */
export function* clipLoraNames(
  tower: string,
  { kohya, diffusers, projection }: ClipLoraPrefixes,
  weights: WeightSource,
): Generator<readonly [name: string, key: string]> {
  for (const key of weights.keys()) {
    if (!key.endsWith(weightSuffix)) continue;
    yield [`text_encoders.clip_${tower}.transformer.${key.slice(0, -weightSuffix.length)}`, key];
  }
  for (const key of weights.keys()) {
    const [, block, layer] = /^text_model\.encoder\.layers\.(\d+)\.(.+)\.weight$/.exec(key) ?? [];
    const underscored = layer === undefined ? undefined : layers[layer];
    if (block === undefined || layer === undefined || underscored === undefined) continue;
    for (const prefix of kohya) {
      yield [`${prefix}_text_model_encoder_layers_${block}_${underscored}`, key];
    }
    yield [`${diffusers}.text_model.encoder.layers.${block}.${layer}`, key];
  }
  if (!weights.has(projectionKey)) return;
  for (const name of projection) yield [name, projectionKey];
}
