/** What changes add within a UNet's transformer blocks: guided attention, hypernetworks, grounding. */
import type { GraphBuilder, Value } from '../../compute/graph.js';
import { SymbolicDim } from '../../compute/dim.js';
import type { GuidedAttention } from '../denoiser/changes.js';
import type { GroundingModel } from '../denoiser/grounding.js';
import type { Hypernetwork, HypernetworkLayer } from '../denoiser/hypernetwork.js';
import { Layers } from '../programs/layers.js';
import { valuesOf } from '../weights/weight-values.js';

/** Each list is in the order in which the changes were made. */
export interface BlockChanges {
  readonly guides: readonly Omit<GuidedAttention, 'kind'>[];
  readonly hypernetworks: readonly { readonly network: Hypernetwork; readonly strength: number }[];
  /** Their tokens are inputs `grounding.INDEX`. */
  readonly groundings: readonly GroundingModel[];
}

export const noBlockChanges: BlockChanges = { guides: [], hypernetworks: [], groundings: [] };

/** The slope below 0 of torch's LeakyReLU. */
const leak = 0.01;

export class BlockChanger {
  private block = 0;
  private away: Value | undefined;
  private readonly tokens = new Map<number, Value>();

  constructor(
    private readonly graph: GraphBuilder,
    private readonly changes: BlockChanges,
  ) {}

  /** What keys and values are made of, of N×T×C. */
  asked(source: Value): { readonly key: Value; readonly value: Value } {
    return this.changes.hypernetworks.reduce(
      ({ key, value }, { network, strength }) => {
        const own = network.networks.get(Number(key.shape[2]));
        if (own === undefined) return { key, value };
        const add = (to: Value, layers: readonly HypernetworkLayer[]): Value =>
          this.graph.add(to, this.graph.scale(this.run(network, layers, to), strength));
        return { key: add(key, own[0]), value: add(value, own[1]) };
      },
      { key: source, value: source },
    );
  }

  /** Of what a block's self-attention gives. */
  guided(attended: Value): Value {
    return this.changes.guides.reduce((led, guide) => {
      this.away ??= this.graph.input('guide.away', [attended.shape[0]!], 'int32');
      return this.graph.guideAttention(led, this.away, guide);
    }, attended);
  }

  /** Between a block's attentions; called once a block. */
  grounded(tokens: Value): Value {
    const index = this.block++;
    return this.changes.groundings.reduce((x, model, number) => this.ground(x, model, number, index), tokens);
  }

  private ground(x: Value, model: GroundingModel, number: number, index: number): Value {
    const { graph } = this;
    const block = model.blocks[index];
    if (block === undefined) return x;
    const layers = new Layers(graph, model.weights);
    const { path, heads } = block;
    const width = model.weights.weight(`${path}.linear.weight`).shape[1]!;
    let told = this.tokens.get(number);
    if (told === undefined) {
      told = graph.input(`grounding.${number}`, [x.shape[0]!, SymbolicDim.symbol('places'), width]);
      this.tokens.set(number, told);
    }
    const gate = (name: string): number => Math.tanh(valuesOf(model.weights.weight(`${path}.${name}`))[0]!);
    const places = layers.linear(told, `${path}.linear`);
    const all = layers.layerNorm(graph.concat([x, places], 1), `${path}.norm1`);
    const [query, key, value] = ['q', 'k', 'v'].map((part) => layers.linear(all, `${path}.attn.to_${part}`));
    const attended = graph.attention(query!, key!, value!, heads);
    const own = graph.takeTokens(layers.linear(attended, `${path}.attn.to_out.0`), x, 'first');
    const seen = graph.add(x, graph.scale(own, gate('alpha_attn')));
    const gated = graph.geglu(
      layers.linear(layers.layerNorm(seen, `${path}.norm2`), `${path}.ff.net.0.proj`),
    );
    return graph.add(seen, graph.scale(layers.linear(gated, `${path}.ff.net.2`), gate('alpha_dense')));
  }

  private run({ weights }: Hypernetwork, layers: readonly HypernetworkLayer[], source: Value): Value {
    const { graph } = this;
    const own = new Layers(graph, weights);
    return layers.reduce<Value>((x, layer) => {
      if (layer.kind !== 'activation') {
        return layer.kind === 'linear' ? own.linear(x, layer.path) : own.layerNorm(x, layer.path);
      }
      switch (layer.function) {
        case 'relu':
        case 'tanh':
        case 'sigmoid':
          return graph.activation(x, layer.function);
        case 'leakyrelu':
          return graph.leakyRelu(x, leak);
        case 'mish':
          return graph.mish(x);
        case 'swish':
          return graph.pointwise(x, 'hard_swish');
        case 'elu':
        case 'softsign':
          return graph.pointwise(x, layer.function);
      }
    }, source);
  }
}
