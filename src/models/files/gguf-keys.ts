/** Names of text encoders in llama.cpp's files, and in everyone else's (city96/ComfyUI-GGUF loader.py). */

type Renaming = readonly (readonly [from: string, to: string])[];

const t5: Renaming = [
  ['enc.', 'encoder.'],
  ['.blk.', '.block.'],
  ['token_embd', 'shared'],
  ['output_norm', 'final_layer_norm'],
  ['attn_q', 'layer.0.SelfAttention.q'],
  ['attn_k', 'layer.0.SelfAttention.k'],
  ['attn_v', 'layer.0.SelfAttention.v'],
  ['attn_o', 'layer.0.SelfAttention.o'],
  ['attn_norm', 'layer.0.layer_norm'],
  ['attn_rel_b', 'layer.0.SelfAttention.relative_attention_bias'],
  ['ffn_up', 'layer.1.DenseReluDense.wi_1'],
  ['ffn_down', 'layer.1.DenseReluDense.wo'],
  ['ffn_gate', 'layer.1.DenseReluDense.wi_0'],
  ['ffn_norm', 'layer.1.layer_norm'],
];

const llama: Renaming = [
  ['blk.', 'model.layers.'],
  ['attn_norm', 'input_layernorm'],
  ['attn_q_norm.', 'self_attn.q_norm.'],
  ['attn_k_norm.', 'self_attn.k_norm.'],
  ['attn_v_norm.', 'self_attn.v_norm.'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output.weight', 'lm_head.weight'],
];

const renamings: Readonly<Record<string, Renaming>> = {
  t5,
  t5encoder: t5,
  llama,
  qwen2vl: llama,
  qwen3: llama,
  qwen3vl: llama,
};

/** What makes a key of a tensor's name in a file of `general.architecture`; image models keep theirs. */
export function keysOfArchitecture(architecture: string | undefined): (name: string) => string {
  const renaming = renamings[architecture ?? ''] ?? [];
  return (name) => renaming.reduce((key, [from, to]) => key.replaceAll(from, to), name);
}
