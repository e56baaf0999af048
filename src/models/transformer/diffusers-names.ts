/**
 * diffusers' names of transformers' layers, as LoRA files have them, and the rows of a fused weight that they stand for (ComfyUI
 * comfy/utils.py, flux_to_diffusers, mmdit_to_diffusers, auraflow_to_diffusers and z_image_to_diffusers).
 */
import type { LoraName } from '../denoiser/diffusion-model.js';
import type { WeightSource } from '../weights/weight-source.js';

/** A layer by diffusers' path, and by the checkpoint's. */
export interface DiffusersName {
  readonly name: string;
  readonly path: string;
  readonly rows?: { readonly start: number; readonly count: number };
}

type Pairs = readonly (readonly [name: string, path: string])[];

/** Query, key and value as rows of one layer. */
function fused(names: readonly string[], path: string, width: number): DiffusersName[] {
  return names.map((name, index) => ({ name, path, rows: { start: index * width, count: width } }));
}

function renamed(from: string, to: string, pairs: Pairs): DiffusersName[] {
  return pairs.map(([name, path]) => ({ name: `${from}${name}`, path: `${to}${path}` }));
}

function projections(prefix: string, names: readonly string[]): string[] {
  return names.map((name) => `${prefix}.${name}`);
}

const OWN = ['to_q', 'to_k', 'to_v'];
const ADDED = ['add_q_proj', 'add_k_proj', 'add_v_proj'];

const TIME_AND_TEXT: Pairs = [
  ['time_text_embed.timestep_embedder.linear_1', 'time_in.in_layer'],
  ['time_text_embed.timestep_embedder.linear_2', 'time_in.out_layer'],
  ['time_text_embed.text_embedder.linear_1', 'vector_in.in_layer'],
  ['time_text_embed.text_embedder.linear_2', 'vector_in.out_layer'],
  ['time_text_embed.guidance_embedder.linear_1', 'guidance_in.in_layer'],
  ['time_text_embed.guidance_embedder.linear_2', 'guidance_in.out_layer'],
];

const FLUX_DOUBLE: Pairs = [
  ['attn.to_out.0', 'img_attn.proj'],
  ['attn.to_add_out', 'txt_attn.proj'],
  ['norm1.linear', 'img_mod.lin'],
  ['norm1_context.linear', 'txt_mod.lin'],
  ['ff.net.0.proj', 'img_mlp.0'],
  ['ff.net.2', 'img_mlp.2'],
  ['ff_context.net.0.proj', 'txt_mlp.0'],
  ['ff_context.net.2', 'txt_mlp.2'],
  ['ff.linear_in', 'img_mlp.0'],
  ['ff.linear_out', 'img_mlp.2'],
  ['ff_context.linear_in', 'txt_mlp.0'],
  ['ff_context.linear_out', 'txt_mlp.2'],
];

const FLUX_SINGLE: Pairs = [
  ['norm.linear', 'modulation.lin'],
  ['proj_out', 'linear2'],
  ['attn.to_qkv_mlp_proj', 'linear1'],
  ['attn.to_out', 'linear2'],
];

interface FluxSizes {
  readonly width: number;
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
}

/** Of Flux, Flux.2 and Chroma. */
export function fluxNames({ width, doubleBlocks, singleBlocks }: FluxSizes): DiffusersName[] {
  const names = renamed('', '', [
    ...TIME_AND_TEXT,
    ['x_embedder', 'img_in'],
    ['context_embedder', 'txt_in'],
    ['proj_out', 'final_layer.linear'],
  ]);
  for (let index = 0; index < doubleBlocks; index++) {
    const [from, to] = [`transformer_blocks.${index}.`, `double_blocks.${index}.`];
    names.push(
      ...fused(projections(`${from}attn`, OWN), `${to}img_attn.qkv`, width),
      ...fused(projections(`${from}attn`, ADDED), `${to}txt_attn.qkv`, width),
      ...renamed(from, to, FLUX_DOUBLE),
    );
  }
  for (let index = 0; index < singleBlocks; index++) {
    const [from, to] = [`single_transformer_blocks.${index}.`, `single_blocks.${index}.`];
    names.push(
      ...fused(projections(`${from}attn`, OWN), `${to}linear1`, width),
      { name: `${from}proj_mlp`, path: `${to}linear1`, rows: { start: 3 * width, count: 4 * width } },
      ...renamed(from, to, FLUX_SINGLE),
    );
  }
  return names;
}

const SD3_BLOCK: Pairs = [
  ['norm1.linear', 'x_block.adaLN_modulation.1'],
  ['norm1_context.linear', 'context_block.adaLN_modulation.1'],
  ['attn.to_out.0', 'x_block.attn.proj'],
  ['attn.to_add_out', 'context_block.attn.proj'],
  ['attn2.to_out.0', 'x_block.attn2.proj'],
  ['ff.net.0.proj', 'x_block.mlp.fc1'],
  ['ff.net.2', 'x_block.mlp.fc2'],
  ['ff_context.net.0.proj', 'context_block.mlp.fc1'],
  ['ff_context.net.2', 'context_block.mlp.fc2'],
];

export function sd3Names({
  width,
  blocks,
}: {
  readonly width: number;
  readonly blocks: number;
}): DiffusersName[] {
  const names = renamed('', '', [
    ['context_embedder', 'context_embedder'],
    ['time_text_embed.timestep_embedder.linear_1', 't_embedder.mlp.0'],
    ['time_text_embed.timestep_embedder.linear_2', 't_embedder.mlp.2'],
    ['time_text_embed.text_embedder.linear_1', 'y_embedder.mlp.0'],
    ['time_text_embed.text_embedder.linear_2', 'y_embedder.mlp.2'],
    ['pos_embed.proj', 'x_embedder.proj'],
    ['proj_out', 'final_layer.linear'],
  ]);
  for (let index = 0; index < blocks; index++) {
    const [from, to] = [`transformer_blocks.${index}.`, `joint_blocks.${index}.`];
    // diffusers has the last block's text modulation in another order.
    const own = SD3_BLOCK.filter(([name]) => index < blocks - 1 || name !== 'norm1_context.linear');
    names.push(
      ...fused(projections(`${from}attn`, OWN), `${to}x_block.attn.qkv`, width),
      ...fused(projections(`${from}attn`, ADDED), `${to}context_block.attn.qkv`, width),
      ...fused(projections(`${from}attn2`, OWN), `${to}x_block.attn2.qkv`, width),
      ...renamed(from, to, own),
    );
  }
  return names;
}

const AURA_ATTENTION = { q: 'to_q', k: 'to_k', v: 'to_v', o: 'to_out.0' };
const AURA_ADDED = { q: 'add_q_proj', k: 'add_k_proj', v: 'add_v_proj', o: 'to_add_out' };

function auraLayers(
  attention: Readonly<Record<string, string>>,
  stream: number,
  [feedForward, own]: readonly [string, string],
): Pairs {
  return [
    ...Object.entries(attention).map(([part, name]) => [`attn.${name}`, `attn.w${stream}${part}`] as const),
    [`${feedForward}.linear_1`, `${own}.c_fc1`],
    [`${feedForward}.linear_2`, `${own}.c_fc2`],
    [`${feedForward}.out_projection`, `${own}.c_proj`],
  ];
}

const AURA_DOUBLE: Pairs = [
  ...auraLayers(AURA_ATTENTION, 2, ['ff', 'mlpX']),
  ...auraLayers(AURA_ADDED, 1, ['ff_context', 'mlpC']),
  ['norm1.linear', 'modX.1'],
  ['norm1_context.linear', 'modC.1'],
];
const AURA_SINGLE: Pairs = [...auraLayers(AURA_ATTENTION, 1, ['ff', 'mlp']), ['norm1.linear', 'modCX.1']];

export function auraNames({ doubleBlocks, singleBlocks }: Omit<FluxSizes, 'width'>): DiffusersName[] {
  const names = renamed('', '', [
    ['time_step_proj.linear_1', 't_embedder.mlp.0'],
    ['time_step_proj.linear_2', 't_embedder.mlp.2'],
    ['context_embedder', 'cond_seq_linear'],
    ['pos_embed.proj', 'init_x_linear'],
    ['proj_out', 'final_linear'],
  ]);
  for (let index = 0; index < doubleBlocks; index++) {
    names.push(...renamed(`joint_transformer_blocks.${index}.`, `double_layers.${index}.`, AURA_DOUBLE));
  }
  for (let index = 0; index < singleBlocks; index++) {
    names.push(...renamed(`single_transformer_blocks.${index}.`, `single_layers.${index}.`, AURA_SINGLE));
  }
  return names;
}

interface LuminaSizes {
  readonly width: number;
  readonly layers: number;
  readonly noiseRefiners: number;
  readonly contextRefiners: number;
}

const LUMINA_BLOCK = [
  ...['attention_norm1', 'attention_norm2', 'feed_forward.w1', 'feed_forward.w2', 'feed_forward.w3'],
  ...['ffn_norm1', 'ffn_norm2', 'adaLN_modulation.0'],
];

export function luminaNames({ width, layers, noiseRefiners, contextRefiners }: LuminaSizes): DiffusersName[] {
  const names = renamed('', '', [
    ['all_final_layer.2-1.linear', 'final_layer.linear'],
    ['all_final_layer.2-1.adaLN_modulation.1', 'final_layer.adaLN_modulation.1'],
    ['all_x_embedder.2-1', 'x_embedder'],
    ...['cap_embedder.0', 'cap_embedder.1', 't_embedder.mlp.0', 't_embedder.mlp.2'].map(
      (name) => [name, name] as const,
    ),
  ]);
  const parts = { layers, noise_refiner: noiseRefiners, context_refiner: contextRefiners };
  for (const [part, count] of Object.entries(parts)) {
    for (let index = 0; index < count; index++) {
      const prefix = `${part}.${index}.`;
      names.push(
        ...fused(projections(`${prefix}attention`, OWN), `${prefix}attention.qkv`, width),
        ...renamed(prefix, prefix, [
          ['attention.to_out.0', 'attention.out'],
          ['attention.norm_q', 'attention.q_norm'],
          ['attention.norm_k', 'attention.k_norm'],
          ...LUMINA_BLOCK.map((name) => [name, name] as const),
        ]),
      );
    }
  }
  return names;
}

/** Layers under their own names. */
export function ownNames(weights: WeightSource): DiffusersName[] {
  return [...weights.keys()]
    .filter((key) => key.endsWith('.weight'))
    .map((key) => ({ name: key.slice(0, -'.weight'.length), path: key.slice(0, -'.weight'.length) }));
}

/** How a trainer writes a name: behind a prefix, with dots or with underscores in their place. */
export interface LoraSpelling {
  readonly prefix: string;
  readonly underscores?: true;
}

const LYCORIS: LoraSpelling = { prefix: 'lycoris_', underscores: true };
const ONE_TRAINER: LoraSpelling = { prefix: 'lora_transformer_', underscores: true };
const PLAIN: LoraSpelling = { prefix: '' };
const DIFFUSERS: LoraSpelling = { prefix: 'transformer.' };

/** As ComfyUI reads them, family by family (comfy/lora.py, model_lora_keys_unet). */
export const SPELLINGS = {
  flux: [DIFFUSERS, LYCORIS, ONE_TRAINER, PLAIN],
  sd3: [DIFFUSERS, { prefix: 'base_model.model.' }, ONE_TRAINER, LYCORIS],
  lumina: [{ prefix: 'diffusion_model.' }, DIFFUSERS, LYCORIS, PLAIN],
  qwen: [PLAIN, DIFFUSERS, LYCORIS],
  hidream: [LYCORIS, DIFFUSERS],
  aura: [DIFFUSERS],
} as const satisfies Readonly<Record<string, readonly LoraSpelling[]>>;

export function* loraNamesOf(
  names: readonly DiffusersName[],
  spellings: readonly LoraSpelling[],
): Iterable<LoraName> {
  for (const { name, path, rows } of names) {
    for (const { prefix, underscores } of spellings) {
      const spelled = underscores === true ? name.replaceAll('.', '_') : name;
      yield rows === undefined
        ? [`${prefix}${spelled}`, `${path}.weight`]
        : [`${prefix}${spelled}`, `${path}.weight`, rows];
    }
  }
}

/** Of Flux, Flux.2 and Chroma; ComfyUI knows query, key and value of single blocks as a layer of their own, too. */
export function* fluxLoraNames(sizes: FluxSizes): Iterable<LoraName> {
  yield* loraNamesOf(fluxNames(sizes), SPELLINGS.flux);
  for (let index = 0; index < sizes.singleBlocks; index++) {
    const path = `single_blocks.${index}.linear1`;
    yield [`diffusion_model.${path}_qkv`, `${path}.weight`, { start: 0, count: 3 * sizes.width }];
  }
}
