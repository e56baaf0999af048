/** RetinaFace on a ResNet-50 or a MobileNet of a quarter's width (facerestore_cf facelib/detection/retinaface). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { Layers } from '../../programs/layers.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { foldBatchNorm } from './batch-norm.js';

/** Both backbones' features are read at 1/8, 1/16 and 1/32 of the picture's size. */
export const RETINAFACE_STRIDES = [8, 16, 32];

export function isRetinaFace(weights: WeightSource): boolean {
  return weights.has('BboxHead.0.conv1x1.weight') && weights.has('fpn.output1.0.weight');
}

/**
 * Input `pixels` N×3×H×W, blue, green, red from 0 to 255 less their means; outputs `boxes` N×T×8, `classes` N×T×4 and
 * `landmarks` N×T×20 of two anchors at each place, rows first, the finest level first.
 */
export function buildRetinaFace(weights: WeightSource): Graph {
  const graph = new GraphBuilder('retinaface');
  const network = new RetinaFace(graph, weights);
  const [n, h, w] = ['N', 'H', 'W'].map((name) => SymbolicDim.symbol(name)) as [
    SymbolicDim,
    SymbolicDim,
    SymbolicDim,
  ];
  const pixels = graph.input('pixels', [n, 3, h, w]);
  const features = network
    .pyramid(weights.has('body.conv1.weight') ? network.resnet(pixels) : network.mobileNet(pixels))
    .map((feature, level) => network.context(feature, `ssh${level + 1}`));
  const head = (name: string) =>
    graph.concat(
      features.map((feature, level) => network.head(feature, `${name}.${level}.conv1x1`)),
      1,
    );
  graph.output('boxes', head('BboxHead'));
  graph.output('classes', head('ClassHead'));
  graph.output('landmarks', head('LandmarkHead'));
  return graph.build();
}

class RetinaFace {
  private readonly layers: Layers;
  /** Of the layers behind the backbone: narrow networks leak. */
  private readonly slope: number;

  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
  ) {
    this.layers = new Layers(graph, weights);
    this.slope = weights.weight('fpn.output1.0.weight').shape[0]! <= 64 ? 0.1 : 0;
  }

  /** torchvision's resnet50, layers 2 to 4. */
  resnet(pixels: Value): readonly Value[] {
    const { graph } = this;
    const stem = this.active(this.norm(pixels, 'body.conv1', 'body.bn1', 3, 2), 0);
    let x = graph.maxPool(stem, { size: 3, stride: 2, padding: 1 });
    return [1, 2, 3, 4]
      .map((level) => {
        const path = `body.layer${level}`;
        const blocks = countOf(this.weights, path);
        for (let block = 0; block < blocks; block++) {
          x = this.bottleneck(x, `${path}.${block}`, block === 0 && level > 1 ? 2 : 1);
        }
        return x;
      })
      .slice(1);
  }

  private bottleneck(x: Value, path: string, stride: number): Value {
    const first = this.active(this.norm(x, `${path}.conv1`, `${path}.bn1`), 0);
    const second = this.active(this.norm(first, `${path}.conv2`, `${path}.bn2`, 1, stride), 0);
    const third = this.norm(second, `${path}.conv3`, `${path}.bn3`);
    const shortcut = this.weights.has(`${path}.downsample.0.weight`)
      ? this.norm(x, `${path}.downsample.0`, `${path}.downsample.1`, 0, stride)
      : x;
    return this.active(this.graph.add(third, shortcut), 0);
  }

  mobileNet(pixels: Value): readonly Value[] {
    /** Blocks that halve the picture; the first one of all is a plain convolution. */
    const halving = [[0, 2, 4], [0], [0]];
    let x = pixels;
    return halving.map((strided, index) => {
      const path = `body.stage${index + 1}`;
      const blocks = countOf(this.weights, path);
      for (let block = 0; block < blocks; block++) {
        const stride = strided.includes(block) ? 2 : 1;
        const at = `${path}.${block}`;
        x = this.weights.has(`${at}.3.weight`)
          ? this.separable(x, at, stride)
          : this.active(this.norm(x, `${at}.0`, `${at}.1`, 1, stride), 0.1);
      }
      return x;
    });
  }

  private separable(x: Value, path: string, stride: number): Value {
    const { weight, bias } = foldBatchNorm(this.weights, `${path}.0`, `${path}.1`);
    const groups = weight.shape[0]!;
    const each = this.graph.within(path, () =>
      this.graph.groupedConv2d(x, weight, bias, { stride, padding: 1, groups }),
    );
    return this.active(this.norm(this.active(each, 0.1), `${path}.3`, `${path}.4`), 0.1);
  }

  /** Three levels of the same width, each with what the coarser ones know. */
  pyramid(features: readonly Value[]): readonly Value[] {
    const [fine, middle, coarse] = features.map((feature, level) =>
      this.step(feature, `fpn.output${level + 1}`, 0),
    ) as [Value, Value, Value];
    const second = this.step(this.raised(coarse, middle), 'fpn.merge2', 1);
    const first = this.step(this.raised(second, fine), 'fpn.merge1', 1);
    return [first, second, coarse];
  }

  private raised(coarse: Value, fine: Value): Value {
    return this.graph.add(fine, this.graph.upsampleNearest(coarse, fine));
  }

  /** Views of 3×3, 5×5 and 7×7 pixels side by side. */
  context(x: Value, path: string): Value {
    const near = this.norm(x, `${path}.conv3X3.0`, `${path}.conv3X3.1`, 1);
    const hidden = this.step(x, `${path}.conv5X5_1`, 1);
    const wide = this.norm(hidden, `${path}.conv5X5_2.0`, `${path}.conv5X5_2.1`, 1);
    const wider = this.step(hidden, `${path}.conv7X7_2`, 1);
    const widest = this.norm(wider, `${path}.conv7x7_3.0`, `${path}.conv7x7_3.1`, 1);
    return this.active(this.graph.concat([near, wide, widest], 1), 0);
  }

  head(x: Value, path: string): Value {
    return this.graph.spatialToTokens(this.layers.conv2d(x, path));
  }

  private step(x: Value, path: string, padding: number): Value {
    return this.active(this.norm(x, `${path}.0`, `${path}.1`, padding), this.slope);
  }

  private norm(x: Value, conv: string, norm: string, padding = 0, stride = 1): Value {
    const { weight, bias } = foldBatchNorm(this.weights, conv, norm);
    return this.graph.within(conv, () => this.graph.conv2d(x, weight, bias, { padding, stride }));
  }

  private active(x: Value, slope: number): Value {
    return slope === 0 ? this.graph.activation(x, 'relu') : this.graph.leakyRelu(x, slope);
  }
}
