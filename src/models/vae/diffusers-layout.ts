/** Autoencoders that keep diffusers' keys, under the family's own (ComfyUI comfy/diffusers_convert.py). */
import type { WeightSource } from '../weights/weight-source.js';
import { derived, type Derivation } from '../weights/weight-views.js';

const renames: readonly (readonly [RegExp, string | ((...groups: string[]) => string)])[] = [
  [/^encoder\.down_blocks\.(\d+)\.resnets\.(\d+)\./, 'encoder.down.$1.block.$2.'],
  [/^encoder\.down_blocks\.(\d+)\.downsamplers\.0\./, 'encoder.down.$1.downsample.'],
  [/\.mid_block\.attentions\.0\./, '.mid.attn_1.'],
  [/\.mid_block\.resnets\.(\d+)\./, (_, block) => `.mid.block_${Number(block) + 1}.`],
  [/\.conv_norm_out\./, '.norm_out.'],
  [/\.conv_shortcut\./, '.nin_shortcut.'],
];

const attentionRenames: readonly (readonly [RegExp, string])[] = [
  [/\.group_norm\./, '.norm.'],
  [/\.(?:query|to_q)\./, '.q.'],
  [/\.(?:key|to_k)\./, '.k.'],
  [/\.(?:value|to_v)\./, '.v.'],
  [/\.(?:proj_attn|to_out\.0)\./, '.proj_out.'],
];

/** `weights` under the family's own keys; unchanged where they have those. */
export function diffusersLayout(weights: WeightSource): WeightSource {
  if (!weights.has('decoder.up_blocks.0.resnets.0.norm1.weight')) return weights;
  const keys = [...weights.keys()];
  const levels =
    1 + Math.max(...keys.map((key) => Number(/^decoder\.up_blocks\.(\d+)\./.exec(key)?.[1] ?? 0)));
  const derivations = new Map<string, Derivation>();
  for (const key of keys) {
    const own = ownKey(key, levels);
    const { shape } = weights.weight(key);
    const linear = /\.mid\.attn_1\.(?:q|k|v|proj_out)\.weight$/.test(own) && shape.length === 2;
    derivations.set(own, linear ? { from: key, shape: [...shape, 1, 1] } : { from: key });
  }
  return derived(weights, 'vae', derivations);
}

function ownKey(key: string, levels: number): string {
  let own = key.replace(
    /^decoder\.up_blocks\.(\d+)\.(?:resnets\.(\d+)|upsamplers\.0)\./,
    (_, level: string, block: string | undefined) => {
      // The family counts its levels from the finest, diffusers from the coarsest.
      const path = `decoder.up.${levels - 1 - Number(level)}`;
      return block === undefined ? `${path}.upsample.` : `${path}.block.${block}.`;
    },
  );
  for (const [pattern, replacement] of renames) {
    own =
      typeof replacement === 'string' ? own.replace(pattern, replacement) : own.replace(pattern, replacement);
  }
  if (!own.includes('.attn_1.')) return own;
  return attentionRenames.reduce((name, [pattern, replacement]) => name.replace(pattern, replacement), own);
}
