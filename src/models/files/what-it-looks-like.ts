import type { WeightSource } from '../weights/weight-source.js';

/** Keys that give a model of another kind away, most of them as in ComfyUI comfy/model_detection.py. */
const others: readonly (readonly [key: RegExp, name: string])[] = [
  [/(^|\.)lora_(unet|te)|\.lora_(up|down|A|B)\b|\.hada_w1_a|\.lokr_w1/, 'a LoRA, which LoraLoader reads'],
  [/^control_model\.|input_hint_block|controlnet_cond_embedding/, 'a ControlNet'],
  [/(^|\.)joint_blocks\.0\.context_block\.attn\.qkv\.weight$/, 'Stable Diffusion 3'],
  [/(^|\.)distilled_guidance_layer\./, 'Chroma'],
  [/(^|\.)txt_in\.individual_token_refiner\./, 'Hunyuan Video or Hunyuan Image'],
  [/(^|\.)double_blocks\.0\.img_attn\./, 'Flux'],
  [/(^|\.)clf\.1\.weight$/, 'Stable Cascade'],
  [/(^|\.)double_layers\.0\.attn\.w1q\.weight$/, 'AuraFlow'],
  [/(^|\.)mlp_t5\.0\.weight$/, 'Hunyuan DiT'],
  [/(^|\.)t5_yproj\.weight$/, 'Mochi'],
  [/(^|\.)adaln_single\.emb\.timestep_embedder\./, 'LTX-Video or PixArt'],
  [/(^|\.)t_block\.1\.weight$/, 'PixArt'],
  [/(^|\.)genre_embedder\.weight$/, 'ACE-Step'],
  [/(^|\.)blocks\.block0\.blocks\.0\.|(^|\.)blocks\.0\.mlp\.layer1\.weight$/, 'Cosmos'],
  [/(^|\.)cap_embedder\.1\.weight$/, 'Lumina 2'],
  [/(^|\.)head\.modulation$/, 'Wan'],
  [/(^|\.)latent_in\.weight$/, 'Hunyuan 3D'],
  [/(^|\.)caption_projection\.0\.linear\.weight$/, 'HiDream'],
  [/(^|\.)time_caption_embed\./, 'OmniGen 2'],
  [/(^|\.)txt_norm\.weight$/, 'Qwen-Image'],
  [/(^|\.)transformer\.rotary_pos_emb\.inv_freq$/, 'Stable Audio'],
  [/^input_blocks\.0\.0\.weight$/, 'a UNet alone, without text encoder and VAE'],
  [/^(unet\.)?down_blocks\.0\./, "a UNet in diffusers' layout, not a checkpoint"],
  [/^decoder\.(conv_in|up_blocks)\./, 'a VAE, which VAELoader reads'],
  [/^(text_model|transformer\.text_model|encoder\.block)\./, 'a text encoder alone'],
];

/** What the keys of a file that isn't supported look like, for an error message. */
export function whatItLooksLike(weights: WeightSource): string {
  const keys = [...weights.keys()];
  const found = others.find(([pattern]) => keys.some((key) => pattern.test(key)));
  if (found !== undefined) return found[1];
  const first = keys.slice(0, 3).join(', ');
  return keys.length === 0 ? 'an empty file' : `nothing known (${keys.length} tensors: ${first}, …)`;
}
