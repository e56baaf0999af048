/** Language models of Llama's making as text encoders: Llama 3, Qwen 2.5 and 3, Mistral 3, Gemma 2 (ComfyUI comfy/text_encoders/llama.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Activation, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import type { Weight } from '../../../compute/weight.js';
import { ModelError } from '../../model-error.js';
import { Layers } from '../../programs/layers.js';
import { graphOf } from '../../programs/model-graph.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { roundingOf } from '../stored-precision.js';
import { choiceKey, type LayerChoice, type TextNetwork } from '../text-network.js';
import { rotaryAngles } from './rotary-angles.js';
import { scoreMask } from './score-mask.js';

/** What keys and shapes don't tell. */
export interface LanguageModelKind {
  readonly headDim: number;
  /** The base of the angles' frequencies. */
  readonly theta: number;
  readonly epsilon: number;
  readonly activation: Activation;
  /** Norms multiply by 1 + weight, summed in the weight's own type, and embeddings are scaled by √width. */
  readonly gemma?: true;
  /** Layers of a model cut short, which has lost its last norm, too. */
  readonly prunedTo?: number;
  /** Pairs of a head's values that turn with time, row and column of a picture. */
  readonly pictureAxes?: readonly number[];
}

const tokenEmbedding = 'model.embed_tokens.weight';

export function languageNetwork(kind: LanguageModelKind): TextNetwork {
  return {
    embedding: tokenEmbedding,
    scale: (width) => (kind.gemma === true ? Math.sqrt(width) : 1),
    depth,
    async run({ name, weights, programs, layers, embeddings, mask, positions }) {
      const [, tokens = 0] = embeddings.shape;
      const masked = mask !== undefined;
      const key = [weights.identity, name, choiceKey(layers), masked ? 'masked' : 'causal'].join('|');
      return programs.use(
        key,
        () => graphOf(weights, () => buildGraph(name, weights, kind, layers, masked)),
        async (program) => {
          const { cosines, sines } = rotaryAngles(tokens, kind, positions);
          const results = await program.run({
            embeddings,
            cosines,
            sines,
            ...(masked ? { bias: tensor([1, 1, tokens, tokens], scoreMask(mask)) } : {}),
          });
          return outputNames(layers).map((output): Tensor => results[output]!);
        },
      );
    },
  };
}

function outputNames(layers: LayerChoice): readonly string[] {
  return layers.kind === 'inputs' ? layers.layers.map((layer) => `input ${layer}`) : ['hidden'];
}

function depth(weights: WeightSource): number {
  let layers = 0;
  while (weights.has(`model.layers.${layers}.input_layernorm.weight`)) layers += 1;
  return layers;
}

interface Block {
  readonly net: Layers;
  readonly kind: LanguageModelKind;
  readonly weights: WeightSource;
  readonly angles: { readonly cosines: Value; readonly sines: Value };
  /** Undefined where later tokens alone are hidden. */
  readonly bias: Value | undefined;
}

function buildGraph(
  name: string,
  weights: WeightSource,
  kind: LanguageModelKind,
  layers: LayerChoice,
  masked: boolean,
): Graph {
  const count = depth(weights);
  const width = weights.weight(tokenEmbedding).shape[1]!;
  const graph = new GraphBuilder(name, { range: 'wide' });
  const tokens = SymbolicDim.symbol('tokens');
  let x = graph.input('embeddings', [1, tokens, width]);
  const angle = (input: string) => graph.input(input, [1, tokens, kind.headDim / 2]);
  const block: Block = {
    net: new Layers(graph, weights),
    kind,
    weights,
    angles: { cosines: angle('cosines'), sines: angle('sines') },
    bias: masked ? graph.input('bias', [1, 1, tokens, tokens]) : undefined,
  };
  const finalNorm = (value: Value) => normed(block, value, 'model.norm');
  if (layers.kind !== 'inputs') {
    const deepest = layers.kind === 'last' ? count : layers.layer + 1;
    for (let index = 0; index < deepest; index++) x = decoderLayer(block, x, `model.layers.${index}`);
    graph.output('hidden', layers.kind === 'last' || layers.normalized ? finalNorm(x) : x);
    return graph.build();
  }
  const wanted = new Set(layers.layers);
  const deepest = Math.max(...wanted);
  if (deepest > count) {
    throw new ModelError(
      `${weights.path}: ${name} takes what enters layer ${deepest}, but has ${count} layers`,
    );
  }
  for (let index = 0; index < deepest; index++) {
    if (wanted.has(index)) graph.output(`input ${index}`, x);
    x = decoderLayer(block, x, `model.layers.${index}`);
  }
  const isWhole = deepest === count && kind.prunedTo !== count;
  graph.output(`input ${deepest}`, isWhole ? finalNorm(x) : x);
  return graph.build();
}

function decoderLayer(block: Block, x: Value, path: string): Value {
  const { graph } = block.net;
  const norm = (value: Value, layer: string) => normed(block, value, `${path}.${layer}`);
  const attended = attend(block, norm(x, 'input_layernorm'), `${path}.self_attn`);
  // Gemma norms what a layer gives as well as what it takes; there the second norm's name is the first one's of Llama.
  if (!block.weights.has(`${path}.pre_feedforward_layernorm.weight`)) {
    const mixed = graph.add(x, attended);
    return graph.add(mixed, feedForward(block, norm(mixed, 'post_attention_layernorm'), `${path}.mlp`));
  }
  const mixed = graph.add(x, norm(attended, 'post_attention_layernorm'));
  const forwarded = feedForward(block, norm(mixed, 'pre_feedforward_layernorm'), `${path}.mlp`);
  return graph.add(mixed, norm(forwarded, 'post_feedforward_layernorm'));
}

function attend(block: Block, x: Value, path: string): Value {
  const { net, kind, weights, angles, bias } = block;
  const { graph } = net;
  const { headDim, epsilon } = kind;
  const turned = (projection: 'q' | 'k'): readonly [Value, number] => {
    const projected = net.linear(x, `${path}.${projection}_proj`);
    const heads = Number(projected.shape[2]) / headDim;
    const norm = `${path}.${projection}_norm`;
    const unit = weights.has(`${norm}.weight`)
      ? graph.within(norm, () => graph.rmsNorm(projected, normWeight(block, norm), { heads, epsilon }))
      : projected;
    return [graph.within(path, () => graph.rotary(unit, angles, { heads, pairs: 'halves' })), heads];
  };
  const [query, heads] = turned('q');
  const [keys, keyHeads] = turned('k');
  const values = net.linear(x, `${path}.v_proj`);
  const options = bias === undefined ? { causal: true, keyHeads } : { bias, keyHeads };
  const mixed = graph.within(path, () => graph.attention(query, keys, values, heads, options));
  return net.linear(mixed, `${path}.o_proj`);
}

function feedForward({ net, kind }: Block, x: Value, path: string): Value {
  const { graph } = net;
  const gate = graph.activation(net.linear(x, `${path}.gate_proj`), kind.activation);
  return net.linear(graph.multiply(gate, net.linear(x, `${path}.up_proj`)), `${path}.down_proj`);
}

function normed(block: Block, x: Value, path: string): Value {
  const { graph } = block.net;
  return graph.within(path, () => graph.rmsNorm(x, normWeight(block, path), { epsilon: block.kind.epsilon }));
}

function normWeight({ weights, kind }: Block, path: string): Weight {
  const weight = weights.weight(`${path}.weight`);
  if (kind.gemma !== true) return weight;
  const round = roundingOf(weight);
  return {
    name: weight.name,
    shape: weight.shape,
    read(into) {
      weight.read(into);
      for (let index = 0; index < into.length; index++) into[index] = into[index]! + 1;
      round(into);
    },
  };
}
