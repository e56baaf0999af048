/** ParseNet: which part of a face each pixel is (facerestore_cf facelib/parsing/parsenet.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { foldBatchNorm } from './batch-norm.js';

const SLOPE = 0.2;

type Resizing = 'none' | 'down' | 'up';

export function isParseNet(weights: WeightSource): boolean {
  return weights.has('out_mask_conv.conv2d.weight') && weights.has('encoder.0.conv2d.weight');
}

/** Input `pixels` N×3×512×512, red, green, blue in [−1, 1]; output `logits` N×19×512×512. */
export function buildParseNet(weights: WeightSource): Graph {
  const graph = new GraphBuilder('parsenet');
  const network = new ParseNet(graph, weights);
  const first = network.conv(
    graph.input('pixels', [SymbolicDim.symbol('N'), 3, 512, 512]),
    'encoder.0',
    'none',
  );
  const features = network.blocks(first, 'encoder', 1, 'down');
  const body = network.blocks(features, 'body', 0, 'none');
  const decoded = network.blocks(graph.add(features, body), 'decoder', 0, 'up');
  graph.output('logits', network.conv(decoded, 'out_mask_conv', 'none'));
  return graph.build();
}

class ParseNet {
  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
  ) {}

  blocks(x: Value, path: string, from: number, resizing: Resizing): Value {
    const count = countOf(this.weights, path);
    for (let index = from; index < count; index++) x = this.block(x, `${path}.${index}`, resizing);
    return x;
  }

  private block(x: Value, path: string, resizing: Resizing): Value {
    const { graph } = this;
    const shortcut = this.weights.has(`${path}.shortcut_func.conv2d.weight`)
      ? this.conv(x, `${path}.shortcut_func`, resizing)
      : x;
    const first = this.conv(x, `${path}.conv1`, resizing === 'up' ? 'up' : 'none');
    const second = this.conv(
      graph.leakyRelu(first, SLOPE),
      `${path}.conv2`,
      resizing === 'down' ? 'down' : 'none',
    );
    return graph.add(shortcut, second);
  }

  /** With the mirrored border that it was trained with, and its batch normalisation if it has one. */
  conv(x: Value, path: string, resizing: Resizing): Value {
    const { graph, weights } = this;
    const norm = `${path}.norm.norm`;
    const { weight, bias } = weights.has(`${norm}.weight`)
      ? foldBatchNorm(weights, `${path}.conv2d`, norm)
      : { weight: weights.weight(`${path}.conv2d.weight`), bias: weights.weight(`${path}.conv2d.bias`) };
    return graph.within(path, () => {
      const sized = resizing === 'up' ? graph.upsampleNearest(x, 2) : x;
      const padded = graph.padReflect(sized, [1, 1, 1, 1]);
      return graph.conv2d(padded, weight, bias, { stride: resizing === 'down' ? 2 : 1 });
    });
  }
}
