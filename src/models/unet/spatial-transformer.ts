/** Transformer blocks over the pixels of a feature map (ComfyUI comfy/ldm/modules/attention.py, SpatialTransformer). */
import type { Value } from '../../compute/graph.js';
import type { Layers } from '../programs/layers.js';
import type { UnetEncoderConfig } from './config.js';
import type { BlockChanger } from './block-changes.js';
import type { JoinPictures } from './picture-attention.js';
import type { SelfAttention } from './self-attention.js';

const normEpsilon = 1e-6;

/** How a transformer's blocks attend, and what changes add to them. */
export interface BlockAttention {
  readonly selfAttention: SelfAttention;
  readonly joinPictures: JoinPictures | undefined;
  readonly changer: BlockChanger;
}

export function spatialTransformer(
  layers: Layers,
  config: UnetEncoderConfig,
  x: Value,
  context: Value | undefined,
  depth: number,
  attention: BlockAttention,
  path: string,
): Value {
  const { graph } = layers;
  const linear = config.linearInTransformer;
  const heads = headCount(config, x);
  let hidden = layers.groupNorm(x, `${path}.norm`, normEpsilon);
  hidden = linear
    ? layers.linear(graph.spatialToTokens(hidden), `${path}.proj_in`)
    : graph.spatialToTokens(layers.conv2d(hidden, `${path}.proj_in`));
  for (let block = 0; block < depth; block++) {
    hidden = transformerBlock(
      layers,
      hidden,
      // Where nothing attends to a text, there are no blocks.
      context!,
      heads,
      attention,
      `${path}.transformer_blocks.${block}`,
    );
  }
  hidden = linear
    ? graph.tokensToSpatial(layers.linear(hidden, `${path}.proj_out`), x)
    : layers.conv2d(graph.tokensToSpatial(hidden, x), `${path}.proj_out`);
  return graph.within(path, () => graph.add(hidden, x));
}

function headCount({ heads }: UnetEncoderConfig, x: Value): number {
  return 'count' in heads ? heads.count : Number(x.shape[1]) / heads.channels;
}

function transformerBlock(
  layers: Layers,
  x: Value,
  context: Value,
  heads: number,
  attention: BlockAttention,
  path: string,
): Value {
  const { graph } = layers;
  const { selfAttention, changer } = attention;
  const own = layers.layerNorm(x, `${path}.norm1`);
  const attended = changer.guided(selfAttention(own, heads, `${path}.attn1`));
  let hidden = changer.grounded(graph.add(attended, x));
  const asking = layers.layerNorm(hidden, `${path}.norm2`);
  hidden = graph.add(crossAttention(layers, asking, context, heads, `${path}.attn2`, attention), hidden);
  const gated = graph.geglu(
    layers.linear(layers.layerNorm(hidden, `${path}.norm3`), `${path}.ff.net.0.proj`),
  );
  return graph.add(hidden, layers.linear(gated, `${path}.ff.net.2`));
}

function crossAttention(
  layers: Layers,
  x: Value,
  context: Value,
  heads: number,
  path: string,
  { joinPictures, changer }: BlockAttention,
): Value {
  const { graph } = layers;
  const query = layers.linear(x, `${path}.to_q`);
  const asked = changer.asked(context);
  const key = layers.linear(asked.key, `${path}.to_k`);
  const value = layers.linear(asked.value, `${path}.to_v`);
  const mixed = graph.within(path, () => {
    const attended = graph.attention(query, key, value, heads);
    return joinPictures?.(query, attended, heads) ?? attended;
  });
  return layers.linear(mixed, `${path}.to_out.0`);
}
