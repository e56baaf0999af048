/** Blocks that Flux, Flux.2 and Chroma are made of (ComfyUI comfy/ldm/flux/layers.py). */
import type { Value } from '../../../compute/graph.js';
import type { Angles } from '../../../compute/operations/rotary.js';
import { MACHINE_EPSILON, type TransformerLayers } from '../layers.js';
import { gated, modulated, type Modulated, type Modulation } from '../modulation.js';

export interface Streams {
  readonly image: Value;
  readonly text: Value;
}

/** Modulations of a double block's two halves: attention and feed-forward layers. */
export type DoubleModulation = Readonly<
  Record<keyof Streams, readonly [attention: Modulated<Modulation>, mlp: Modulated<Modulation>]>
>;

export interface BlockOptions {
  readonly heads: number;
  readonly angles: Angles;
  /** Feed-forward layers are gated by silu, not activated by gelu. */
  readonly gatedMlp: boolean;
}

interface Projections {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** Parts of a fused layer that projects to queries, keys and values, and their norms, which are per head. */
function project(
  layers: TransformerLayers,
  [query, key, value]: readonly Value[],
  norm: string,
  heads: number,
): Projections {
  const options = { heads, epsilon: MACHINE_EPSILON };
  return {
    query: layers.rmsNorm(query!, `${norm}.query_norm`, options),
    key: layers.rmsNorm(key!, `${norm}.key_norm`, options),
    value: value!,
  };
}

function attend(layers: TransformerLayers, { query, key, value }: Projections, options: BlockOptions): Value {
  const { heads, angles } = options;
  const turned = (x: Value) => layers.graph.rotary(x, angles, { heads, pairs: 'neighbours' });
  return layers.graph.attention(turned(query), turned(key), value, heads);
}

/** Rows of a feed-forward layer's first half, and what becomes of them. */
function activated(layers: TransformerLayers, parts: readonly Value[], gatedMlp: boolean): Value {
  const { graph } = layers;
  const [first, second] = parts;
  if (!gatedMlp) return graph.activation(first!, 'gelu_tanh');
  return graph.multiply(graph.activation(first!, 'silu'), second!);
}

/** Image and text have layers of their own and attend to each other. */
export function doubleBlock(
  layers: TransformerLayers,
  path: string,
  { image, text }: Streams,
  modulation: DoubleModulation,
  options: BlockOptions,
): Streams {
  const { graph } = layers;
  const streams = { text: ['txt', text], image: ['img', image] } as const;
  const projected = (name: keyof Streams): Projections => {
    const [prefix, x] = streams[name];
    const input = modulated(graph, layers.plainLayerNorm(x), modulation[name][0]);
    const parts = layers.chunks(input, `${path}.${prefix}_attn.qkv`, 3);
    return project(layers, parts, `${path}.${prefix}_attn.norm`, options.heads);
  };
  const [ofText, ofImage] = [projected('text'), projected('image')];
  const joined = (name: keyof Projections) => graph.concat([ofText[name], ofImage[name]], 1);
  const attended = attend(
    layers,
    { query: joined('query'), key: joined('key'), value: joined('value') },
    options,
  );
  const finished = (name: keyof Streams, own: Value): Value => {
    const [prefix, x] = streams[name];
    const [attention, mlp] = modulation[name];
    const afterAttention = gated(graph, x, layers.linear(own, `${path}.${prefix}_attn.proj`), attention);
    const input = modulated(graph, layers.plainLayerNorm(afterAttention), mlp);
    const parts = layers.chunks(input, `${path}.${prefix}_mlp.0`, options.gatedMlp ? 2 : 1);
    const change = layers.linear(activated(layers, parts, options.gatedMlp), `${path}.${prefix}_mlp.2`);
    return gated(graph, afterAttention, change, mlp);
  };
  return {
    image: finished('image', graph.takeTokens(attended, image, 'last')),
    text: finished('text', graph.takeTokens(attended, text, 'first')),
  };
}

/** Attention and feed-forward layers side by side over all tokens. */
export function singleBlock(
  layers: TransformerLayers,
  path: string,
  x: Value,
  modulation: Modulated<Modulation>,
  options: BlockOptions,
): Value {
  const { graph } = layers;
  const width = x.shape[2] as number;
  const input = modulated(graph, layers.plainLayerNorm(x), modulation);
  const rows = layers.weights.weight(`${path}.linear1.weight`).shape[0]!;
  const mlpParts = options.gatedMlp ? 2 : 1;
  const mlpWidths = new Array<number>(mlpParts).fill((rows - 3 * width) / mlpParts);
  const [query, key, value, ...mlp] = layers.linearParts(input, `${path}.linear1`, [
    width,
    width,
    width,
    ...mlpWidths,
  ]);
  const projections = project(layers, [query!, key!, value!], `${path}.norm`, options.heads);
  const both = graph.concat(
    [attend(layers, projections, options), activated(layers, mlp, options.gatedMlp)],
    2,
  );
  return gated(graph, x, layers.linear(both, `${path}.linear2`), modulation);
}
