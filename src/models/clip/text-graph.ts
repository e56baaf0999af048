/** CLIP's text transformer as a compute graph (ComfyUI comfy/clip_model.py, CLIPTextModel_). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Activation, type Graph, type Value } from '../../compute/graph.js';
import { Layers } from '../programs/layers.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { sectionLength } from './sections.js';

/** A text encoder's sizes, as read off its tensors. */
export interface TextModelSizes {
  /** Channels of a token. */
  readonly width: number;
  readonly layers: number;
}

/** What is computed from the tokens. */
export interface TextModelOutputs {
  /** The layer whose output is the hidden state, from 0; `last` is the last one after the final layer norm. */
  readonly layer: number | 'last';
  /** Whether a layer's output passes the final layer norm, too. */
  readonly normalized: boolean;
  /** The final state of the end token, as it is or projected. */
  readonly pooled: 'none' | 'plain' | 'projected';
}

const channelsPerHead = 64;
export const tokenEmbedding = 'text_model.embeddings.token_embedding.weight';
const positionEmbedding = 'text_model.embeddings.position_embedding.weight';

/** Throws `ModelError` when the tensors are none of a CLIP text encoder. */
export function readTextModelSizes(source: WeightSource): TextModelSizes {
  const { name, shape } = source.weight(tokenEmbedding);
  const [, width] = shape;
  if (shape.length !== 2 || width === undefined || width === 0 || width % channelsPerHead !== 0) {
    throw new ModelError(
      `${name} should be tokens × channels, the channels a multiple of ${channelsPerHead}, but has the shape [${shape.join(', ')}]`,
    );
  }
  let layers = 0;
  while (source.has(`text_model.encoder.layers.${layers}.layer_norm1.weight`)) layers += 1;
  if (layers === 0) throw new ModelError(`${name} is there, but no layer of its text encoder is`);
  return { width, layers };
}

/**
 * Inputs: `embeddings` N×77×C, token embeddings without positions; `end` N, where each section's pooled token is (only if
 * it is wanted). Outputs: `hidden` N×77×C, and `pooled` N×C. Layers that no output needs are left out.
 */
export function buildTextGraph(
  name: string,
  source: WeightSource,
  activation: Activation,
  { layer, normalized, pooled }: TextModelOutputs,
): Graph {
  const { width, layers } = readTextModelSizes(source);
  const graph = new GraphBuilder(name);
  const net = new Layers(graph, source);
  const finalNorm = (x: Value) => net.layerNorm(x, 'text_model.final_layer_norm');

  const encoderLayer = (x: Value, path: string): Value => {
    const normed = net.layerNorm(x, `${path}.layer_norm1`);
    const query = net.linear(normed, `${path}.self_attn.q_proj`);
    const keys = net.linear(normed, `${path}.self_attn.k_proj`);
    const values = net.linear(normed, `${path}.self_attn.v_proj`);
    const attended = graph.within(`${path}.self_attn`, () =>
      graph.attention(query, keys, values, width / channelsPerHead, { causal: true }),
    );
    const mixed = graph.add(x, net.linear(attended, `${path}.self_attn.out_proj`));
    const inner = net.linear(net.layerNorm(mixed, `${path}.layer_norm2`), `${path}.mlp.fc1`);
    return graph.add(mixed, net.linear(graph.activation(inner, activation), `${path}.mlp.fc2`));
  };

  const batch = SymbolicDim.symbol('sections');
  const embeddings = graph.input('embeddings', [batch, sectionLength, width]);
  const end = pooled === 'none' ? undefined : graph.input('end', [batch], 'int32');

  let x = graph.addRows(embeddings, source.weight(positionEmbedding));
  let hidden: Value | undefined;
  const depth = layer === 'last' || end !== undefined ? layers : layer + 1;
  for (let index = 0; index < depth; index++) {
    x = encoderLayer(x, `text_model.encoder.layers.${index}`);
    if (index === layer) hidden = normalized ? finalNorm(x) : x;
  }
  const final = layer === 'last' || end !== undefined ? finalNorm(x) : undefined;
  graph.output('hidden', (hidden ?? final)!);

  if (final !== undefined && end !== undefined) {
    const token = graph.selectToken(final, end);
    graph.output('pooled', pooled === 'projected' ? net.linear(token, 'text_projection') : token);
  }
  return graph.build();
}
