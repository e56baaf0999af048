/** Where files keep a ControlNet's weights, as its own keys (`input_blocks.…`, `zero_convs.…`). */
import { countOf } from '../../weights/count-of.js';
import { detectDiffusersEncoder, diffusersLayers } from '../../unet/diffusers-layers.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { derived, underPrefix, type Derivation } from '../../weights/weight-views.js';

/** Of the original's checkpoints. */
export const ORIGINAL_PREFIX = 'control_model.';

/** Undefined for a file that is no ControlNet of a UNet. */
export function controlNetLayout(file: WeightSource): WeightSource | undefined {
  if (file.has('controlnet_cond_embedding.conv_in.weight')) return diffusersLayout(file);
  if (file.has(`${ORIGINAL_PREFIX}zero_convs.0.0.weight`)) return underPrefix(file, ORIGINAL_PREFIX);
  return file.has('zero_convs.0.0.weight') ? file : undefined;
}

/** diffusers' names (ComfyUI comfy/controlnet.py, load_controlnet_state_dict). */
function diffusersLayout(file: WeightSource): WeightSource {
  const derivations = new Map<string, string | Derivation>();
  const take = (theirs: string, ours: string): void => {
    for (const part of ['weight', 'bias']) {
      if (file.has(`${theirs}.${part}`)) derivations.set(`${ours}.${part}`, `${theirs}.${part}`);
    }
  };
  for (const [theirs, ours] of diffusersLayers(detectDiffusersEncoder(file))) take(theirs, ours);
  take('controlnet_mid_block', 'middle_block_out.0');
  const hint = 'controlnet_cond_embedding';
  take(`${hint}.conv_in`, 'input_hint_block.0');
  const count = countOf(file, `${hint}.blocks`);
  for (let index = 0; index < count; index++) {
    take(`${hint}.blocks.${index}`, `input_hint_block.${2 * index + 2}`);
  }
  take(`${hint}.conv_out`, `input_hint_block.${2 * count + 2}`);
  const zeros = countOf(file, 'controlnet_down_blocks');
  for (let index = 0; index < zeros; index++) {
    take(`controlnet_down_blocks.${index}`, `zero_convs.${index}.0`);
  }
  if (file.has('control_add_embedding.linear_1.weight')) takeUnion(file, derivations);
  return derived(file, 'diffusers controlnet', derivations);
}

/** What xinsir's unions have beside: of their attention over one token, the value alone counts. */
function takeUnion(file: WeightSource, derivations: Map<string, string | Derivation>): void {
  const attention = 'transformer_layes.0.attn';
  for (const key of file.keys()) {
    if (/^(control_add_embedding|task_embedding|transformer_layes|spatial_ch_projs)/.test(key)) {
      derivations.set(key, key);
    }
  }
  for (const part of ['weight', 'bias']) {
    const from = `${attention}.in_proj_${part}`;
    if (!file.has(from)) continue;
    const count = Math.floor(file.weight(from).shape[0]! / 3);
    derivations.set(`${attention}.value.${part}`, { from, rows: { start: 2 * count, count } });
  }
}
