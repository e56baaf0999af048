/** diffusers' names of a UNet's layers, as LoRA files have them. */
import type { LoraName } from '../denoiser/diffusion-model.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { UnetConfig } from './config.js';

const transformerParts = ['proj_in', 'proj_out', 'norm'];

const blockParts = [
  'norm1',
  'norm2',
  'norm3',
  'attn1.to_q',
  'attn1.to_k',
  'attn1.to_v',
  'attn1.to_out.0',
  'attn2.to_q',
  'attn2.to_k',
  'attn2.to_v',
  'attn2.to_out.0',
  'ff.net.0.proj',
  'ff.net.2',
];

/** The checkpoint's name and diffusers'. */
const residualParts = [
  ['in_layers.2', 'conv1'],
  ['emb_layers.1', 'time_emb_proj'],
  ['out_layers.3', 'conv2'],
  ['skip_connection', 'conv_shortcut'],
  ['in_layers.0', 'norm1'],
  ['out_layers.0', 'norm2'],
] as const;

const otherParts = [
  ['label_emb.0.0', 'class_embedding.linear_1'],
  ['label_emb.0.2', 'class_embedding.linear_2'],
  ['label_emb.0.0', 'add_embedding.linear_1'],
  ['label_emb.0.2', 'add_embedding.linear_2'],
  ['input_blocks.0.0', 'conv_in'],
  ['out.0', 'conv_norm_out'],
  ['out.2', 'conv_out'],
  ['time_embed.0', 'time_embedding.linear_1'],
  ['time_embed.2', 'time_embedding.linear_2'],
] as const;

/**
 * diffusers' names of a UNet's layers, each with the checkpoint's: `down_blocks.0.attentions.0.proj_in` and
 * `input_blocks.1.1.proj_in`. Layers that this UNet lacks may be among them (ComfyUI comfy/utils.py, unet_to_diffusers).
 */
export function diffusersLayers(
  unet: Pick<UnetConfig, 'residualBlocks' | 'transformerDepth' | 'transformerDepthMiddle'> &
    Partial<Pick<UnetConfig, 'transformerDepthOutput'>>,
): Map<string, string> {
  const layers = new Map<string, string>();
  const addResidual = (theirs: string, ours: string): void => {
    for (const [our, their] of residualParts) layers.set(`${theirs}.${their}`, `${ours}.${our}`);
  };
  const addTransformer = (theirs: string, ours: string, depth: number): void => {
    for (const part of transformerParts) layers.set(`${theirs}.${part}`, `${ours}.${part}`);
    for (let block = 0; block < depth; block++) {
      for (const part of blockParts) {
        const name = `transformer_blocks.${block}.${part}`;
        layers.set(`${theirs}.${name}`, `${ours}.${name}`);
      }
    }
  };

  let input = 1;
  let residual = 0;
  unet.residualBlocks.forEach((count, level) => {
    for (let i = 0; i < count; i++, input++, residual++) {
      addResidual(`down_blocks.${level}.resnets.${i}`, `input_blocks.${input}.0`);
      const depth = unet.transformerDepth[residual] ?? 0;
      if (depth > 0) addTransformer(`down_blocks.${level}.attentions.${i}`, `input_blocks.${input}.1`, depth);
    }
    layers.set(`down_blocks.${level}.downsamplers.0.conv`, `input_blocks.${input}.0.op`);
    input++;
  });

  addTransformer('mid_block.attentions.0', 'middle_block.1', unet.transformerDepthMiddle);
  addResidual('mid_block.resnets.0', 'middle_block.0');
  addResidual('mid_block.resnets.1', 'middle_block.2');

  let output = 0;
  unet.residualBlocks.toReversed().forEach((count, level) => {
    for (let i = 0; i <= count; i++, output++) {
      addResidual(`up_blocks.${level}.resnets.${i}`, `output_blocks.${output}.0`);
      const depth = unet.transformerDepthOutput?.[output] ?? 0;
      if (depth > 0) addTransformer(`up_blocks.${level}.attentions.${i}`, `output_blocks.${output}.1`, depth);
      if (i === count) {
        const position = depth > 0 ? 2 : 1;
        layers.set(`up_blocks.${level}.upsamplers.0.conv`, `output_blocks.${output}.${position}.conv`);
      }
    }
  });

  for (const [ours, theirs] of otherParts) layers.set(theirs, ours);
  return layers;
}

/** The blocks of the half that goes down, by diffusers' names (ComfyUI comfy/model_detection.py, unet_config_from_diffusers_unet). */
export function detectDiffusersEncoder(
  weights: WeightSource,
): Pick<UnetConfig, 'residualBlocks' | 'transformerDepth' | 'transformerDepthMiddle'> {
  const keys = [...weights.keys()];
  const count = (prefix: string): number => {
    let found = 0;
    while (keys.some((key) => key.startsWith(`${prefix}${found}.`))) found++;
    return found;
  };
  const residualBlocks: number[] = [];
  const transformerDepth: number[] = [];
  for (let level = 0; level < count('down_blocks.'); level++) {
    const blocks = count(`down_blocks.${level}.resnets.`);
    residualBlocks.push(blocks);
    for (let block = 0; block < blocks; block++) {
      transformerDepth.push(count(`down_blocks.${level}.attentions.${block}.transformer_blocks.`));
    }
  }
  const transformerDepthMiddle = count('mid_block.attentions.0.transformer_blocks.');
  return { residualBlocks, transformerDepth, transformerDepthMiddle };
}

/**
 * The names that kohya's scripts, diffusers, PEFT and LyCORIS write for the layers of a UNet, in the order in which they are tried (ComfyUI
 * comfy/lora.py, model_lora_keys_unet).
 */
export function* unetLoraNames(unet: UnetConfig): Generator<LoraName> {
  for (const [theirs, ours] of diffusersLayers(unet)) {
    const key = `${ours}.weight`;
    const underscored = theirs.replaceAll('.', '_');
    yield [`lora_unet_${underscored}`, key];
    yield [`lycoris_${underscored}`, key];
    const processor = withoutOutputIndex(theirs.replaceAll('.to_', '.processor.to_'));
    // ComfyUI doesn't know the names of attention's layers without `processor.`, as PEFT writes them.
    yield [processor, key];
    yield [`unet.${processor}`, key];
  }
}

/** diffusers' attention processors call `to_out.0` just `to_out`. */
function withoutOutputIndex(name: string): string {
  return name.endsWith('.to_out.0') ? name.slice(0, -2) : name;
}
