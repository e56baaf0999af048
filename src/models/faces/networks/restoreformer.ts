/** RestoreFormer (spandrel architectures/RestoreFormer). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Weight } from '../../../compute/weight.js';
import { Layers } from '../../programs/layers.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { valuesOf } from './batch-norm.js';
import { attentionBlock, DOWNSAMPLE_PADDING, normalised, residualBlock } from './vqgan.js';

/** Nothing in a file says how many; the model has 8. */
const HEADS = 8;

export function isRestoreFormer(weights: WeightSource): boolean {
  return [
    'quantize.embedding.weight',
    'encoder.conv_in.weight',
    'quant_conv.weight',
    'encoder.down.0.block.0.norm1.weight',
    'decoder.mid.attn_1.norm2.weight',
  ].every((key) => weights.has(key));
}

/** Input `pixels` N×3×512×512, red, green, blue in [−1, 1]; output `restored` of the same shape. */
export function buildRestoreFormer(weights: WeightSource): Graph {
  const graph = new GraphBuilder('restoreformer');
  const network = new RestoreFormer(graph, weights);
  const pixels = graph.input('pixels', [SymbolicDim.symbol('N'), 3, 512, 512]);
  const encoded = network.encode(pixels);
  graph.output('restored', network.decode(network.quantise(encoded.result), encoded));
  return graph.build();
}

/** What the decoder looks at again: the encoder's features around its middle. */
interface Encoded {
  readonly result: Value;
  readonly beforeAttention: Value;
  readonly middle: Value;
}

class RestoreFormer {
  private readonly layers: Layers;
  private readonly levels: number;

  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
  ) {
    this.layers = new Layers(graph, weights);
    this.levels = countOf(weights, 'encoder.down');
  }

  encode(pixels: Value): Encoded {
    const { layers, levels } = this;
    let x = layers.conv2d(pixels, 'encoder.conv_in', { padding: 1 });
    for (let level = 0; level < levels; level++) {
      const path = `encoder.down.${level}`;
      x = this.blocks(x, path, undefined);
      if (level < levels - 1) {
        x = layers.conv2d(x, `${path}.downsample.conv`, { stride: 2, padding: DOWNSAMPLE_PADDING });
      }
    }
    const beforeAttention = this.block(x, 'encoder.mid.block_1');
    const attended = this.attention(beforeAttention, 'encoder.mid.attn_1', undefined);
    const middle = this.block(attended, 'encoder.mid.block_2');
    return { beforeAttention, middle, result: this.last(middle, 'encoder') };
  }

  /** The nearest code of the book at each place: the one with the greatest 2·z·e − |e|². */
  quantise(encoded: Value): Value {
    const { graph, layers, weights } = this;
    const book = weights.weight('quantize.embedding.weight');
    const features = layers.conv2d(encoded, 'quant_conv');
    const scores = graph.linear(graph.spatialToTokens(features), doubled(book), negativeSquares(book));
    return layers.conv2d(graph.tokensToSpatial(graph.selectRows(scores, book), features), 'post_quant_conv');
  }

  decode(quantised: Value, { beforeAttention, middle }: Encoded): Value {
    const { graph, layers } = this;
    let x = this.block(layers.conv2d(quantised, 'decoder.conv_in', { padding: 1 }), 'decoder.mid.block_1');
    x = this.block(this.attention(x, 'decoder.mid.attn_1', middle), 'decoder.mid.block_2');
    for (let level = this.levels - 1; level >= 0; level--) {
      const path = `decoder.up.${level}`;
      x = this.blocks(x, path, beforeAttention);
      if (level > 0) {
        x = layers.conv2d(graph.upsampleNearest(x, 2), `${path}.upsample.conv`, { padding: 1 });
      }
    }
    return this.last(x, 'decoder');
  }

  /** `asking` is another part's features for the attentions, where there are any; undefined for the part's own. */
  private blocks(x: Value, path: string, asking: Value | undefined): Value {
    const count = countOf(this.weights, `${path}.block`);
    for (let index = 0; index < count; index++) {
      x = this.block(x, `${path}.block.${index}`);
      const attention = `${path}.attn.${index}`;
      if (this.weights.has(`${attention}.q.weight`)) x = this.attention(x, attention, asking);
    }
    return x;
  }

  private block(x: Value, path: string): Value {
    return residualBlock(this.layers, x, path, 'nin_shortcut');
  }

  private attention(x: Value, path: string, other: Value | undefined): Value {
    const hidden = normalised(this.layers, x, `${path}.norm1`);
    const asking = other === undefined ? hidden : normalised(this.layers, other, `${path}.norm2`);
    return attentionBlock(this.layers, x, { asking, hidden }, path, HEADS);
  }

  private last(x: Value, part: 'encoder' | 'decoder'): Value {
    const hidden = this.graph.activation(normalised(this.layers, x, `${part}.norm_out`), 'silu');
    return this.layers.conv2d(hidden, `${part}.conv_out`, { padding: 1 });
  }
}

function doubled(book: Weight): Weight {
  return {
    name: book.name,
    shape: book.shape,
    read(into) {
      book.read(into);
      into.forEach((value, index) => (into[index] = 2 * value));
    },
  };
}

function negativeSquares(book: Weight): Weight {
  const [rows, width] = book.shape as [number, number];
  return {
    name: book.name,
    shape: [rows],
    read(into) {
      const values = valuesOf(book);
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let i = row * width; i < (row + 1) * width; i++) sum -= values[i]! ** 2;
        into[row] = sum;
      }
    },
  };
}
