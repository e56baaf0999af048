/** CLIP's and SigLIP's image towers, layer by layer (ComfyUI comfy/clip_model.py, CLIPVision). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Activation, type Graph, type Value } from '../../compute/graph.js';
import { countOf } from '../weights/count-of.js';
import { Layers } from '../programs/layers.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** Of every tower that there is. */
const HEADS = 16;
const PATCHES = 'vision_model.embeddings.patch_embedding';
const POSITIONS = 'vision_model.embeddings.position_embedding.weight';
export const CLASS_EMBEDDING = 'vision_model.embeddings.class_embedding';

/** A tower's sizes and kind. */
export interface VisionConfig {
  readonly kind: 'clip' | 'siglip';
  readonly width: number;
  readonly layers: number;
  readonly patchSize: number;
  /** Pixels a side. */
  readonly imageSize: number;
  readonly activation: Activation;
}

/**
 * Undefined for what is no such tower. ComfyUI tells its kinds by the number of layers: from 31 on they are open_clip's H and bigG, with
 * another activation than OpenAI's L.
 */
export function readVisionConfig(weights: WeightSource): VisionConfig | undefined {
  if (!weights.has(`${PATCHES}.weight`) || !weights.has(POSITIONS)) return undefined;
  const { shape, name } = weights.weight(`${PATCHES}.weight`);
  const [width = 0, , patchSize = 0] = shape;
  if (shape.length !== 4) {
    throw new ModelError(
      `${weights.path} is an image encoder for pictures of any aspect (SigLIP 2 NaFlex), which isn't supported; those of fixed squares are: CLIP L, H and bigG, SigLIP`,
    );
  }
  if (width === 0 || width % HEADS !== 0) {
    throw new ModelError(
      `${name} should have a multiple of ${HEADS} channels, has the shape [${shape.join(', ')}]`,
    );
  }
  const layers = countOf(weights, 'vision_model.encoder.layers');
  const kind = weights.has(CLASS_EMBEDDING) ? 'clip' : 'siglip';
  const positions = weights.weight(POSITIONS).shape[0] ?? 0;
  const side = Math.round(Math.sqrt(kind === 'clip' ? positions - 1 : positions));
  const activation = kind === 'siglip' ? 'gelu_tanh' : layers > 30 ? 'gelu' : 'quick_gelu';
  return { kind, width, layers, patchSize, imageSize: side * patchSize, activation };
}

/**
 * Inputs: `pixels` N×3×S×S, and CLIP's `class` N×1×C and `first` N, zeros. Outputs: `last` and `penultimate`, N×T×C, and of CLIP `embeds`,
 * N×E.
 */
export function buildVisionGraph(config: VisionConfig, weights: WeightSource): Graph {
  const { kind, width, layers: count, patchSize, imageSize, activation } = config;
  const graph = new GraphBuilder('image encoder');
  const layers = new Layers(graph, weights);
  const n = SymbolicDim.symbol('N');
  const pixels = graph.input('pixels', [n, 3, imageSize, imageSize]);
  const norm = (x: Value, path: string) => layers.layerNorm(x, path);

  const encoderLayer = (x: Value, path: string): Value => {
    const normed = norm(x, `${path}.layer_norm1`);
    const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
      layers.linear(normed, `${path}.self_attn.${name}`),
    ) as [Value, Value, Value];
    const attended = graph.within(`${path}.self_attn`, () => graph.attention(query, key, value, HEADS));
    const mixed = graph.add(x, layers.linear(attended, `${path}.self_attn.out_proj`));
    const inner = layers.linear(norm(mixed, `${path}.layer_norm2`), `${path}.mlp.fc1`);
    return graph.add(mixed, layers.linear(graph.activation(inner, activation), `${path}.mlp.fc2`));
  };

  const patches = graph.spatialToTokens(layers.conv2d(pixels, PATCHES, { stride: patchSize }));
  const tokens = kind === 'clip' ? graph.concat([graph.input('class', [n, 1, width]), patches], 1) : patches;
  let x = graph.addRows(tokens, weights.weight(POSITIONS));
  if (kind === 'clip') x = norm(x, 'vision_model.pre_layrnorm');
  let penultimate = x;
  for (let layer = 0; layer < count; layer++) {
    x = encoderLayer(x, `vision_model.encoder.layers.${layer}`);
    if (layer === count - 2) penultimate = x;
  }
  graph.output('penultimate', penultimate);
  if (kind === 'siglip') {
    graph.output('last', norm(x, 'vision_model.post_layernorm'));
    return graph.build();
  }
  graph.output('last', x);
  const first = graph.selectToken(x, graph.input('first', [n], 'int32'));
  const pooled = norm(first, 'vision_model.post_layernorm');
  const isProjected = weights.has('visual_projection.weight');
  graph.output('embeds', isProjected ? layers.linear(pooled, 'visual_projection') : pooled);
  return graph.build();
}
