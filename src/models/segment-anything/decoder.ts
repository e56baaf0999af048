/** SAM's mask decoder: tokens of a prompt and an encoded picture look at each other (segment_anything/modeling/mask_decoder.py, transformer.py). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { transposedConv2d } from '../annotators/network.js';
import { Layers } from '../programs/layers.js';
import { countOf } from '../weights/count-of.js';
import { rowSlice, reshape } from '../weights/weight-views.js';
import type { WeightSource } from '../weights/weight-source.js';
import { pictureNorm, samSize } from './encoder.js';

const PREFIX = 'mask_decoder';
const HEADS = 8;

/**
 * `features` and `positions` (1×C×g×g), and `prompt` (1×T×C, of any number of tokens), to `upscaled` (1×c×4g×4g), `mixtures` (1×masks×c),
 * whose products are masks, and `scores` (1×1×masks).
 */
export function samDecoder(weights: WeightSource): Graph {
  const graph = new GraphBuilder('sam decoder');
  const nn = new Layers(graph, weights);
  const { grid } = samSize(weights);
  const own = weights.weight(`${PREFIX}.mask_tokens.weight`);
  const [masks = 0, channels = 0] = own.shape;
  const features = graph.input('features', [1, channels, grid, grid]);
  const positions = graph.input('positions', [1, channels, grid, grid]);
  const prompt = graph.input('prompt', [1, SymbolicDim.symbol('prompt'), channels]);
  const tokenOf = (path: string, at: number): Value =>
    graph.constant(reshape(rowSlice(weights.weight(path), at, 1), [1, 1, channels]));
  const outputs = graph.concat(
    [
      tokenOf(`${PREFIX}.iou_token.weight`, 0),
      ...Array.from({ length: masks }, (_, at) => tokenOf(`${PREFIX}.mask_tokens.weight`, at)),
    ],
    1,
  );
  const seen = lookAtEachOther(nn, weights, {
    queries: graph.concat([outputs, prompt], 1),
    keys: graph.spatialToTokens(features),
    keyPositions: graph.spatialToTokens(positions),
  });
  const picture = graph.tokensToSpatial(seen.keys, features);
  const up = `${PREFIX}.output_upscaling`;
  const larger = transposedConv2d(nn, weights, picture, `${up}.0`, { stride: 2, padding: 0 });
  const normed = graph.activation(pictureNorm(nn, weights, larger, `${up}.1`), 'gelu');
  const largest = transposedConv2d(nn, weights, normed, `${up}.3`, { stride: 2, padding: 0 });
  graph.output('upscaled', graph.activation(largest, 'gelu'));
  const told = graph.takeTokens(seen.queries, outputs, 'first');
  const tokenAt = (at: number): Value => graph.slice(told, 1, at, 1);
  const mixtures = Array.from({ length: masks }, (_, at) =>
    perceptron(nn, weights, tokenAt(1 + at), `${PREFIX}.output_hypernetworks_mlps.${at}`),
  );
  graph.output('mixtures', graph.concat(mixtures, 1));
  graph.output('scores', perceptron(nn, weights, tokenAt(0), `${PREFIX}.iou_prediction_head`));
  return graph.build();
}

interface Sides {
  readonly queries: Value;
  readonly keys: Value;
}

function lookAtEachOther(
  nn: Layers,
  weights: WeightSource,
  { queries: given, keys: picture, keyPositions }: Sides & { readonly keyPositions: Value },
): Sides {
  const { graph } = nn;
  const path = `${PREFIX}.transformer`;
  let [queries, keys] = [given, picture];
  const count = countOf(weights, `${path}.layers`);
  for (let index = 0; index < count; index++) {
    const at = `${path}.layers.${index}`;
    // The first layer has no positions in its self-attention, and nothing beside it.
    const asked = index === 0 ? queries : graph.add(queries, given);
    const own = attention(nn, { query: asked, key: asked, value: queries }, `${at}.self_attn`);
    queries = nn.layerNorm(index === 0 ? own : graph.add(queries, own), `${at}.norm1`);
    const seen = attention(
      nn,
      { query: graph.add(queries, given), key: graph.add(keys, keyPositions), value: keys },
      `${at}.cross_attn_token_to_image`,
    );
    queries = nn.layerNorm(graph.add(queries, seen), `${at}.norm2`);
    const inner = graph.activation(nn.linear(queries, `${at}.mlp.lin1`), 'relu');
    queries = nn.layerNorm(graph.add(queries, nn.linear(inner, `${at}.mlp.lin2`)), `${at}.norm3`);
    const told = attention(
      nn,
      { query: graph.add(keys, keyPositions), key: graph.add(queries, given), value: queries },
      `${at}.cross_attn_image_to_token`,
    );
    keys = nn.layerNorm(graph.add(keys, told), `${at}.norm4`);
  }
  const last = attention(
    nn,
    { query: graph.add(queries, given), key: graph.add(keys, keyPositions), value: keys },
    `${path}.final_attn_token_to_image`,
  );
  return { queries: nn.layerNorm(graph.add(queries, last), `${path}.norm_final_attn`), keys };
}

function attention(
  nn: Layers,
  operands: { readonly query: Value; readonly key: Value; readonly value: Value },
  path: string,
): Value {
  const { graph } = nn;
  const query = nn.linear(operands.query, `${path}.q_proj`);
  const key = nn.linear(operands.key, `${path}.k_proj`);
  const value = nn.linear(operands.value, `${path}.v_proj`);
  return nn.linear(
    graph.within(path, () => graph.attention(query, key, value, HEADS)),
    `${path}.out_proj`,
  );
}

function perceptron(nn: Layers, weights: WeightSource, x: Value, path: string): Value {
  const count = countOf(weights, `${path}.layers`);
  let value = x;
  for (let index = 0; index < count; index++) {
    value = nn.linear(value, `${path}.layers.${index}`);
    if (index + 1 < count) value = nn.graph.activation(value, 'relu');
  }
  return value;
}
