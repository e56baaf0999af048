/** Reads a UNet's layout off its keys and shapes (ComfyUI comfy/model_detection.py, detect_unet_config). */
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { UnetConfig, UnetEncoderConfig } from './config.js';

/**
 * The layout of the UNet that `weights` are (keys as `input_blocks.0.0.weight`); undefined when they are no UNet of the
 * openaimodel family. Throws `ModelError` where the keys contradict each other.
 */
export function detectUnet(weights: WeightSource): UnetConfig | undefined {
  const encoder = detectUnetEncoder(weights);
  if (encoder === undefined) return undefined;
  const keys = [...weights.keys()];
  const [outChannels] = extents(weights, 'out.2.weight', 4);
  const inputBlocks = countBlocks(keys, 'input_blocks.');
  const outputBlocks = countBlocks(keys, 'output_blocks.');
  if (outputBlocks !== inputBlocks) {
    throw new ModelError(
      `${weights.path} has ${inputBlocks} input blocks and ${outputBlocks} output blocks; a UNet has as many of both`,
    );
  }
  const transformerDepthOutput = Array.from({ length: outputBlocks }, (_, block) =>
    depthAt(keys, `output_blocks.${block}.1`),
  );
  return encoder.contextDim === 0 ? undefined : { ...encoder, outChannels, transformerDepthOutput };
}

/** The same of the half that goes down, and the middle. */
export function detectUnetEncoder(weights: WeightSource): UnetEncoderConfig | undefined {
  if (!weights.has('input_blocks.0.0.weight') || !weights.has('time_embed.0.weight')) return undefined;
  const keys = [...weights.keys()];
  const [modelChannels, inChannels] = extents(weights, 'input_blocks.0.0.weight', 4);

  const inputBlocks = countBlocks(keys, 'input_blocks.');
  const residualBlocks = [0];
  const channelMultipliers = [1];
  const transformerDepth: number[] = [];
  for (let block = 1; block < inputBlocks; block++) {
    const path = `input_blocks.${block}`;
    if (weights.has(`${path}.0.op.weight`)) {
      residualBlocks.push(0);
      channelMultipliers.push(1);
      continue;
    }
    const [channels] = extents(weights, `${path}.0.out_layers.3.weight`, 4);
    residualBlocks[residualBlocks.length - 1]!++;
    channelMultipliers[channelMultipliers.length - 1] = channels / modelChannels;
    transformerDepth.push(depthAt(keys, `${path}.1`));
  }
  const admChannels = weights.has('label_emb.0.0.weight')
    ? extents(weights, 'label_emb.0.0.weight', 2)[1]
    : undefined;
  return {
    inChannels,
    modelChannels,
    residualBlocks,
    channelMultipliers,
    transformerDepth,
    transformerDepthMiddle: middleDepth(weights, keys),
    ...attentionOf(weights, keys),
    ...(admChannels === undefined ? {} : { admChannels }),
  };
}

/** How many of `PREFIX0.`, `PREFIX1.`, … in a row have keys. */
function countBlocks(keys: readonly string[], prefix: string): number {
  const present = new Set<string>();
  for (const key of keys) {
    if (key.startsWith(prefix)) present.add(key.slice(prefix.length, key.indexOf('.', prefix.length)));
  }
  let count = 0;
  while (present.has(String(count))) count++;
  return count;
}

function depthAt(keys: readonly string[], path: string): number {
  return countBlocks(keys, `${path}.transformer_blocks.`);
}

/** −1 where the middle is a single residual block, −2 where there is none (ComfyUI's numbers for pruned models). */
function middleDepth(weights: WeightSource, keys: readonly string[]): number {
  if (weights.has('middle_block.1.proj_in.weight')) return depthAt(keys, 'middle_block.1');
  return weights.has('middle_block.0.in_layers.0.weight') ? -1 : -2;
}

/** How the first of its transformers attends. */
function attentionOf(
  weights: WeightSource,
  keys: readonly string[],
): Pick<UnetConfig, 'contextDim' | 'linearInTransformer' | 'heads'> {
  const end = '.transformer_blocks.0.attn2.to_k.weight';
  const key = keys.find((candidate) => candidate.endsWith(end));
  const projection =
    key === undefined
      ? keys.find((candidate) => candidate.endsWith('.proj_in.weight'))
      : `${key.slice(0, -end.length)}.proj_in.weight`;
  const linearInTransformer = projection !== undefined && weights.weight(projection).shape.length === 2;
  // SD 1.x alone projects by convolutions and splits each width into 8 heads; its successors take heads of width 64.
  const isWide = linearInTransformer || weights.has('label_emb.0.0.weight');
  return {
    contextDim: key === undefined ? 0 : extents(weights, key, 2)[1],
    linearInTransformer,
    heads: isWide ? { channels: 64 } : { count: 8 },
  };
}

function extents(weights: WeightSource, key: string, rank: 2): readonly [number, number];
function extents(weights: WeightSource, key: string, rank: 4): readonly [number, number, number, number];
function extents(weights: WeightSource, key: string, rank: number): readonly number[] {
  const { name, shape } = weights.weight(key);
  if (shape.length === rank) return shape;
  throw new ModelError(
    `${weights.path}: ${name} should have ${rank} axes, has the shape [${shape.join(', ')}]`,
  );
}
