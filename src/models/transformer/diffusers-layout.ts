/**
 * Denoisers that keep diffusers' keys, under the families' own (ComfyUI comfy/model_detection.py, convert_diffusers_mmdit): Z-Image, Flux.1,
 * SD3 and AuraFlow. The others' files have the same keys in both.
 */
import { countOf } from '../weights/count-of.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived, type Derivation } from '../weights/weight-views.js';
import { auraNames, fluxNames, luminaNames, sd3Names, type DiffusersName } from './diffusers-names.js';

interface Layout {
  readonly kind: string;
  readonly names: readonly DiffusersName[];
  /** Layers whose scale comes before their shift in diffusers, by their own path. */
  readonly swapped: readonly (readonly [name: string, path: string])[];
  /** Tensors that are no layer's weight or bias. */
  readonly tensors?: Readonly<Record<string, string>>;
}

/** `denoiser` under its family's own keys; undefined where it has no layout of diffusers' that is known. */
export function ownLayout(denoiser: WeightSource): WeightSource | undefined {
  const layout = layoutOf(denoiser);
  if (layout === undefined) return undefined;
  const derivations = new Map<string, string | readonly Derivation[]>();
  const fused = new Map<string, (Derivation & { readonly row: number })[]>();
  for (const [from, to] of Object.entries(layout.tensors ?? {})) {
    if (denoiser.has(from)) derivations.set(to, from);
  }
  for (const end of ['weight', 'bias']) {
    for (const { name, path, rows } of layout.names) {
      const [from, to] = [`${name}.${end}`, `${path}.${end}`];
      if (!denoiser.has(from)) continue;
      if (rows === undefined) derivations.set(to, from);
      else fused.set(to, [...(fused.get(to) ?? []), { from, row: rows.start }]);
    }
    for (const [name, path] of layout.swapped) {
      const from = `${name}.${end}`;
      if (!denoiser.has(from)) continue;
      const half = denoiser.weight(from).shape[0]! / 2;
      const rows = (start: number): Derivation => ({ from, rows: { start, count: half } });
      derivations.set(`${path}.${end}`, [rows(half), rows(0)]);
    }
  }
  for (const [to, parts] of fused)
    derivations.set(
      to,
      parts.sort((a, b) => a.row - b.row),
    );
  return derived(denoiser, layout.kind, derivations);
}

function layoutOf(denoiser: WeightSource): Layout | undefined {
  const widthOf = (key: string) => denoiser.weight(key).shape[0]!;
  const count = (path: string) => countOf(denoiser, path);
  if (denoiser.has('joint_transformer_blocks.0.attn.add_k_proj.weight')) {
    return {
      kind: 'diffusers auraflow',
      names: auraNames({
        doubleBlocks: count('joint_transformer_blocks'),
        singleBlocks: count('single_transformer_blocks'),
      }),
      swapped: [['norm_out.linear', 'modF.1']],
      tensors: { 'pos_embed.pos_embed': 'positional_encoding', register_tokens: 'register_tokens' },
    };
  }
  if (denoiser.has('noise_refiner.0.attention.norm_k.weight')) {
    return {
      kind: 'diffusers z_image',
      names: luminaNames({
        width: widthOf('noise_refiner.0.attention.to_k.weight'),
        layers: count('layers'),
        noiseRefiners: count('noise_refiner'),
        contextRefiners: count('context_refiner'),
      }),
      swapped: [],
      tensors: { x_pad_token: 'x_pad_token', cap_pad_token: 'cap_pad_token' },
    };
  }
  if (denoiser.has('x_embedder.bias') && denoiser.has('single_transformer_blocks.0.attn.norm_q.weight')) {
    const blocks = { double: count('transformer_blocks'), single: count('single_transformer_blocks') };
    const width = widthOf('x_embedder.bias');
    return {
      kind: 'diffusers flux',
      names: [
        ...fluxNames({ width, doubleBlocks: blocks.double, singleBlocks: blocks.single }),
        ...fluxNorms(blocks),
      ],
      swapped: [['norm_out.linear', 'final_layer.adaLN_modulation.1']],
    };
  }
  if (denoiser.has('transformer_blocks.0.attn.add_q_proj.weight') && denoiser.has('pos_embed.proj.weight')) {
    const [width, blocks] = [widthOf('pos_embed.proj.weight'), count('transformer_blocks')];
    const last = blocks - 1;
    return {
      kind: 'diffusers sd3',
      names: [...sd3Names({ width, blocks }), ...sd3Norms(blocks)],
      swapped: [
        ['norm_out.linear', 'final_layer.adaLN_modulation.1'],
        [
          `transformer_blocks.${last}.norm1_context.linear`,
          `joint_blocks.${last}.context_block.adaLN_modulation.1`,
        ],
      ],
      tensors: { 'pos_embed.pos_embed': 'pos_embed' },
    };
  }
  return undefined;
}

function numbered(
  from: string,
  to: string,
  blocks: number,
  pairs: Readonly<Record<string, string>>,
): DiffusersName[] {
  return Array.from({ length: blocks }, (_, index) =>
    Object.entries(pairs).map(([name, path]) => ({
      name: `${from}.${index}.${name}`,
      path: `${to}.${index}.${path}`,
    })),
  ).flat();
}

function fluxNorms({
  double,
  single,
}: {
  readonly double: number;
  readonly single: number;
}): DiffusersName[] {
  return [
    ...numbered('transformer_blocks', 'double_blocks', double, {
      'attn.norm_q': 'img_attn.norm.query_norm',
      'attn.norm_k': 'img_attn.norm.key_norm',
      'attn.norm_added_q': 'txt_attn.norm.query_norm',
      'attn.norm_added_k': 'txt_attn.norm.key_norm',
    }),
    ...numbered('single_transformer_blocks', 'single_blocks', single, {
      'attn.norm_q': 'norm.query_norm',
      'attn.norm_k': 'norm.key_norm',
    }),
  ];
}

function sd3Norms(blocks: number): DiffusersName[] {
  return numbered('transformer_blocks', 'joint_blocks', blocks, {
    'attn.norm_q': 'x_block.attn.ln_q',
    'attn.norm_k': 'x_block.attn.ln_k',
    'attn.norm_added_q': 'context_block.attn.ln_q',
    'attn.norm_added_k': 'context_block.attn.ln_k',
    'attn2.norm_q': 'x_block.attn2.ln_q',
    'attn2.norm_k': 'x_block.attn2.ln_k',
  });
}
