/** T5's encoder and UMT5's as a compute graph (ComfyUI comfy/text_encoders/t5.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Activation, type Graph, type Value } from '../../../compute/graph.js';
import { tensor } from '../../../compute/tensor.js';
import { ModelError } from '../../model-error.js';
import { Layers } from '../../programs/layers.js';
import { graphOf } from '../../programs/model-graph.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { choiceKey, type LayerChoice, type TextNetwork } from '../text-network.js';
import { distanceKinds } from './distance-kinds.js';

const epsilon = 1e-6;
/** Of a key that is hidden: torch.finfo(float32).max, negative. */
const hiddenScore = -3.4028234663852886e38;

const biasOf = (layer: number) =>
  `encoder.block.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`;

/** Scores aren't divided by √d; distances weigh by their kind, in every layer or as in the first. */
export const t5Network: TextNetwork = {
  embedding: 'shared.weight',
  scale: () => 1,
  depth,
  async run({ name, weights, programs, layers, embeddings, mask }) {
    const [, tokens = 0] = embeddings.shape;
    const key = [weights.identity, name, choiceKey(layers), mask === undefined ? 'all' : 'masked'].join('|');
    return programs.use(
      key,
      () => graphOf(weights, () => buildGraph(name, weights, layers, mask !== undefined)),
      async (program) => {
        const results = await program.run({
          embeddings,
          kinds: { shape: [tokens, tokens], data: distanceKinds(tokens) },
          ...(mask === undefined
            ? {}
            : {
                mask: tensor(
                  [1, 1, 1, tokens],
                  Float32Array.from(mask, (seen) => (seen === 1 ? 0 : hiddenScore)),
                ),
              }),
        });
        return [results['hidden']!];
      },
    );
  },
};

function depth(weights: WeightSource): number {
  let layers = 0;
  while (weights.has(`encoder.block.${layers}.layer.0.layer_norm.weight`)) layers += 1;
  return layers;
}

function buildGraph(name: string, weights: WeightSource, layers: LayerChoice, masked: boolean): Graph {
  if (layers.kind === 'inputs') throw new ModelError(`${name} gives the states of one layer`);
  const count = depth(weights);
  const width = weights.weight('shared.weight').shape[1]!;
  const heads = weights.weight(biasOf(0)).shape[1]!;
  const graph = new GraphBuilder(name, { range: 'wide' });
  const net = new Layers(graph, weights);
  const tokens = SymbolicDim.symbol('tokens');
  const embeddings = graph.input('embeddings', [1, tokens, width]);
  const kinds = graph.input('kinds', [tokens, tokens], 'int32');
  const mask = masked ? graph.input('mask', [1, 1, 1, tokens]) : undefined;
  const norm = (x: Value, path: string): Value =>
    graph.within(path, () => graph.rmsNorm(x, weights.weight(`${path}.weight`), { epsilon }));
  const biasIn = (layer: number): Value => {
    const bias = graph.relativeBias(kinds, weights.weight(biasOf(layer)));
    return mask === undefined ? bias : graph.addBroadcast(bias, mask);
  };

  const own = count > 1 && weights.has(biasOf(1));
  let bias = biasIn(0);
  let x = embeddings;
  const deepest = layers.kind === 'last' ? count : layers.layer + 1;
  for (let index = 0; index < deepest; index++) {
    const block = `encoder.block.${index}.layer`;
    if (own && index > 0) bias = biasIn(index);
    x = graph.add(x, attend(net, norm(x, `${block}.0.layer_norm`), `${block}.0.SelfAttention`, heads, bias));
    x = graph.add(
      x,
      feedForward(net, norm(x, `${block}.1.layer_norm`), `${block}.1.DenseReluDense`, weights),
    );
  }
  const normalized = layers.kind === 'last' || layers.normalized;
  graph.output('hidden', normalized ? norm(x, 'encoder.final_layer_norm') : x);
  return graph.build();
}

function attend(net: Layers, x: Value, path: string, heads: number, bias: Value): Value {
  const { graph } = net;
  const query = net.linear(x, `${path}.q`);
  const headDim = Number(query.shape[2]) / heads;
  // Attention divides by √d, which T5 was trained without.
  const keys = graph.scale(net.linear(x, `${path}.k`), Math.sqrt(headDim));
  const values = net.linear(x, `${path}.v`);
  return net.linear(
    graph.within(path, () => graph.attention(query, keys, values, heads, { bias })),
    `${path}.o`,
  );
}

/** Gated, or plain in the first T5. */
function feedForward(net: Layers, x: Value, path: string, weights: WeightSource): Value {
  const { graph } = net;
  const activate = (value: Value, name: Activation) => graph.activation(value, name);
  if (!weights.has(`${path}.wi_0.weight`)) {
    return net.linear(activate(net.linear(x, `${path}.wi`), 'relu'), `${path}.wo`);
  }
  const gate = activate(net.linear(x, `${path}.wi_0`), 'gelu_tanh');
  return net.linear(graph.multiply(gate, net.linear(x, `${path}.wi_1`)), `${path}.wo`);
}
