/** Flux.1 and Flux.2 as graphs over tokens (ComfyUI comfy/ldm/flux/model.py, Flux.forward_orig). */
import { addDims, SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { TransformerLayers } from '../layers.js';
import { modulated, type Modulated, type Modulation } from '../modulation.js';
import type { Skipped } from '../skipped.js';
import { doubleBlock, singleBlock, type DoubleModulation } from './blocks.js';
import type { FluxConfig } from './config.js';

/** Values of a sinusoidal embedding. */
export const SINUSOID_WIDTH = 256;

export interface FluxVariant {
  readonly guidance: boolean;
  readonly pooled: boolean;
  /** Reference tokens have an input and a time (zero) of their own. */
  readonly zeroTime: boolean;
  readonly skipped: Skipped;
}

/** Inputs are `image`, `context`, `time`, `cosines` and `sines`, and as the variant says `guidance`, `pooled`, `references`, `zero_time`. */
export function buildFluxGraph(config: FluxConfig, weights: WeightSource, variant: FluxVariant): Graph {
  const graph = new GraphBuilder(config.second ? 'flux2' : 'flux', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = ['batch', 'text', 'image'].map((name) => SymbolicDim.symbol(name)) as [
    SymbolicDim,
    SymbolicDim,
    SymbolicDim,
  ];
  const imageTokens = graph.input('image', [batch, image, config.inputs]);
  const context = graph.input('context', [batch, text, config.contextWidth]);
  const embedded = (name: string, width: number, path: string): Value =>
    layers.mlp(graph.input(name, [batch, width]), `${path}.in_layer`, `${path}.out_layer`, 'silu');

  const others: Value[] = [];
  if (variant.guidance) others.push(embedded('guidance', SINUSOID_WIDTH, 'guidance_in'));
  if (variant.pooled && config.pooledWidth !== undefined) {
    others.push(embedded('pooled', config.pooledWidth, 'vector_in'));
  }
  const timed = (name: string): Value =>
    others.reduce((sum, other) => graph.add(sum, other), embedded(name, SINUSOID_WIDTH, 'time_in'));
  const time = graph.activation(timed('time'), 'silu');

  const ownImage = layers.linear(imageTokens, 'img_in');
  let x = { image: ownImage, text: layers.linear(context, 'txt_in') };
  let zero: { readonly references: Value; readonly time: Value } | undefined;
  if (variant.zeroTime) {
    const references = graph.input('references', [batch, SymbolicDim.symbol('references'), config.inputs]);
    zero = {
      references: layers.linear(references, 'img_in'),
      time: graph.activation(timed('zero_time'), 'silu'),
    };
    x = { ...x, image: graph.concat([ownImage, zero.references], 1) };
  }
  const tokens = addDims(x.text.shape[1]!, x.image.shape[1]!);
  const pairs = config.width / config.heads / 2;
  const angles = {
    cosines: graph.input('cosines', [1, tokens, pairs]),
    sines: graph.input('sines', [1, tokens, pairs]),
  };
  const options = { heads: config.heads, angles, gatedMlp: config.second };

  /** `count` modulations of the image's stream, or of both as one where `first` are the tokens that come before the references. */
  const modulations = (path: string, count: number, first: Value): Modulated<Modulation>[] => {
    const own = modulationsAt(layers, path, count, time);
    if (zero === undefined) return own;
    const { references, time: zeroTime } = zero;
    const ofZero = modulationsAt(layers, path, count, zeroTime);
    return own.map((by, index) => [
      { like: first, by },
      { like: references, by: ofZero[index]! },
    ]);
  };
  const pair = (image: string, text: string): DoubleModulation => ({
    image: modulations(image, 2, ownImage) as [Modulated<Modulation>, Modulated<Modulation>],
    text: modulationsAt(layers, text, 2, time) as [Modulation, Modulation],
  });

  const shared = config.second
    ? pair('double_stream_modulation_img.lin', 'double_stream_modulation_txt.lin')
    : undefined;
  for (let index = 0; index < config.doubleBlocks; index++) {
    if (variant.skipped.double.includes(index)) continue;
    const path = `double_blocks.${index}`;
    x = layers.within(path, () =>
      doubleBlock(layers, path, x, shared ?? pair(`${path}.img_mod.lin`, `${path}.txt_mod.lin`), options),
    );
  }
  const first = zero === undefined ? ownImage : graph.concat([x.text, ownImage], 1);
  let all = graph.concat([x.text, x.image], 1);
  const [sharedSingle] = config.second ? modulations('single_stream_modulation.lin', 1, first) : [];
  for (let index = 0; index < config.singleBlocks; index++) {
    if (variant.skipped.single.includes(index)) continue;
    const path = `single_blocks.${index}`;
    all = layers.within(path, () =>
      singleBlock(
        layers,
        path,
        all,
        sharedSingle ?? modulations(`${path}.modulation.lin`, 1, first)[0]!,
        options,
      ),
    );
  }
  // References come last and are not asked for.
  const behindText = graph.takeTokens(all, x.image, 'last');
  const made = zero === undefined ? behindText : graph.takeTokens(behindText, ownImage, 'first');
  const [shift, scale] = layers.chunks(time, 'final_layer.adaLN_modulation.1', 2);
  const normed = modulated(graph, layers.plainLayerNorm(made), { shift: shift!, scale: scale! });
  graph.output('out', layers.linear(normed, 'final_layer.linear'));
  return graph.build();
}

/** Shift, scale and gate, as often as asked for, of an activated time. */
function modulationsAt(layers: TransformerLayers, path: string, count: number, time: Value): Modulation[] {
  const parts = layers.chunks(time, path, 3 * count);
  return Array.from({ length: count }, (_, index) => {
    const [shift, scale, gate] = parts.slice(3 * index) as [Value, Value, Value];
    return { shift, scale, gate };
  });
}
