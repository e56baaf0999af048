/** Which text encoder a file holds, by its keys and shapes (ComfyUI comfy/sd.py, detect_te_model). */
import { openClipLayout } from '../../clip/layouts.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { derived, type Derivation } from '../../weights/weight-views.js';

/** Encoders that there is code for; `other` is one that ComfyUI knows as well. */
export type EncoderKind =
  | 'clip l'
  | 'clip h'
  | 'clip g'
  | 't5'
  | 'umt5'
  | 'pile t5'
  | 'gemma 2'
  | 'qwen 2.5 vl'
  | 'qwen 3 0.6B'
  | 'qwen 3 4B'
  | 'qwen 3 8B'
  | 'mistral 3'
  | 'llama 3';

export interface RecognisedEncoder {
  readonly kind: EncoderKind;
  /** Under the keys that its network takes. */
  readonly weights: WeightSource;
}

/** What a file's encoder is; a text says what it looks like where it is none that is supported. */
export function recogniseEncoder(file: WeightSource): RecognisedEncoder | string {
  const source = inOwnLayout(file);
  const found = kindOf(source);
  return found.startsWith('?') ? found.slice(1) : { kind: found as EncoderKind, weights: source };
}

/** A kind, or `?` and what it looks like instead. */
function kindOf(source: WeightSource): EncoderKind | `?${string}` {
  const rows = (key: string) => source.weight(key).shape[0] ?? 0;
  const clip = (layer: number) => source.has(`text_model.encoder.layers.${layer}.mlp.fc1.weight`);
  if (clip(30)) return 'clip g';
  if (clip(22)) return 'clip h';
  if (clip(0)) return 'clip l';
  if (source.has('encoder.block.0.layer.0.SelfAttention.k.weight')) return t5Kind(source);
  if (source.has('model.visual.deepstack_merger_list.0.norm.weight')) return '?Qwen3-VL';
  const norm = 'model.layers.0.post_attention_layernorm.weight';
  if (!source.has(norm)) return '?no text encoder that is known';
  const normsHeads = source.has('model.layers.0.self_attn.q_norm.weight');
  if (source.has('model.layers.0.post_feedforward_layernorm.weight')) {
    return normsHeads ? '?Gemma 3 or 4' : 'gemma 2';
  }
  if (source.has('model.layers.0.self_attn.k_proj.bias')) {
    return source.has('visual.patch_embed.proj.weight') ||
      rows('model.layers.0.self_attn.k_proj.bias') === 512
      ? 'qwen 2.5 vl'
      : '?Qwen 2.5 3B';
  }
  const width = rows(norm);
  if (normsHeads) {
    const sizes: Readonly<Record<number, EncoderKind | `?${string}`>> = {
      1024: 'qwen 3 0.6B',
      2048: '?Ovis 2.5',
      4096: 'qwen 3 8B',
    };
    return sizes[width] ?? 'qwen 3 4B';
  }
  if (source.has('tekken_model') || width === 5120) {
    return width === 3072 ? '?Ministral 3' : 'mistral 3';
  }
  return 'llama 3';
}

/** Of AuraFlow's T5. */
const PILE_WIDTH = 2048;

/** UMT5 has distances in each layer, as AuraFlow's T5 has; of the T5s, those with gates are XXL, or XL. */
function t5Kind(source: WeightSource): EncoderKind | `?${string}` {
  const hasEachDistance = source.has('encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight');
  if (hasEachDistance) {
    return source.weight('shared.weight').shape[1] === PILE_WIDTH ? 'pile t5' : 'umt5';
  }
  if (!source.has('encoder.block.0.layer.1.DenseReluDense.wi_0.weight')) return '?the first T5';
  const key = 'encoder.block.0.layer.1.DenseReluDense.wi_0.weight';
  const width = source.weight(key).shape[0];
  return width === 2048 || width === 2816 ? '?T5 base' : 't5';
}

/** open_clip's towers under transformers' names, and those that ComfyUI's CLIPSave once wrote. */
function inOwnLayout(file: WeightSource): WeightSource {
  if (file.has('transformer.resblocks.0.ln_1.weight')) return openClipLayout(file, '') ?? file;
  if (!file.has('text_projection')) return file;
  const names = new Map<string, string | Derivation>([...file.keys()].map((key) => [key, key]));
  names.set('text_projection.weight', { from: 'text_projection', transposed: true });
  return derived(file, 'saved clip', names);
}
