/** YOLOv5-face, large and nano (facerestore_cf facelib/detection/yolov5face, models/yolov5l.yaml and yolov5n.yaml). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { countOf } from '../../weights/count-of.js';
import { Layers } from '../../programs/layers.js';
import { ModelError } from '../../model-error.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { foldBatchNorm } from './batch-norm.js';

/** Pixels of the picture for one place of each level. */
export const YOLO_STRIDES = [8, 16, 32];

/** What a level's place says of each of its anchors: box, score, five points, class. */
export const YOLO_NUMBERS = 16;

/** A step of the network; `-1` is the step before. */
type Step =
  | { readonly kind: 'stem' | 'pyramid' }
  /** To the size of another step's result, twice the one before. */
  | { readonly kind: 'up'; readonly like: number }
  | { readonly kind: 'conv'; readonly size: 1 | 3 }
  | { readonly kind: 'csp'; readonly residual: boolean }
  | { readonly kind: 'shuffle' }
  | { readonly kind: 'concat'; readonly other: number };

const halving: Step = { kind: 'conv', size: 3 };
const narrowing: Step = { kind: 'conv', size: 1 };
const residual: Step = { kind: 'csp', residual: true };
const plain: Step = { kind: 'csp', residual: false };
const shuffle: Step = { kind: 'shuffle' };

const concat = (other: number): Step => ({ kind: 'concat', other });

const up = (like: number): Step => ({ kind: 'up', like });

interface Layout {
  readonly steps: readonly Step[];
  /** Whose results are looked at for faces. */
  readonly levels: readonly number[];
}

const LARGE: Layout = {
  steps: [
    ...[{ kind: 'stem' } as const, residual, halving, residual, halving, residual, halving],
    ...[{ kind: 'pyramid' } as const, plain],
    ...[narrowing, up(5), concat(5), plain],
    ...[narrowing, up(3), concat(3), plain],
    ...[halving, concat(13), plain],
    ...[halving, concat(9), plain],
  ],
  levels: [16, 19, 22],
};

const NANO: Layout = {
  steps: [
    ...[{ kind: 'stem' } as const, shuffle, shuffle, shuffle, shuffle, shuffle, shuffle],
    ...[narrowing, up(4), concat(4), plain],
    ...[narrowing, up(2), concat(2), plain],
    ...[halving, concat(11), plain],
    ...[halving, concat(7), plain],
  ],
  levels: [14, 17, 20],
};

export function isYoloFace(weights: WeightSource): boolean {
  return weights.has('model.0.stem_1.conv.weight');
}

function layoutOf(weights: WeightSource): Layout {
  return weights.has('model.1.branch2.0.weight') ? NANO : LARGE;
}

/** The path of the last step, which holds anchors and the convolutions that say what is found. */
export function yoloHead(weights: WeightSource): string {
  return `model.${layoutOf(weights).steps.length}`;
}

/**
 * Input `pixels` N×3×H×W, red, green, blue in [0, 1], H and W multiples of 32; outputs `level0`, `level1` and `level2`, N×T×C, rows of
 * places first, C being the anchors' numbers one after another.
 */
export function buildYoloFace(weights: WeightSource): Graph {
  const graph = new GraphBuilder('yolov5-face');
  const [n, rows, columns] = ['N', 'rows', 'columns'].map((name) => SymbolicDim.symbol(name)) as [
    SymbolicDim,
    SymbolicDim,
    SymbolicDim,
  ];
  const { steps, levels } = layoutOf(weights);
  const network = new YoloFace(graph, weights);
  const head = yoloHead(weights);
  if (!weights.has(`${head}.anchor_grid`)) {
    throw new ModelError(`${weights.path} is no YOLOv5-face of a known size: it has no ${head}.anchor_grid`);
  }
  const results: Value[] = [];
  let x = graph.input('pixels', [n, 3, rows, columns]);
  steps.forEach((step, index) => {
    x = network.step(step, `model.${index}`, x, results);
    results.push(x);
  });
  const layers = new Layers(graph, weights);
  levels.forEach((level, index) => {
    const found = layers.conv2d(results[level]!, `${head}.m.${index}`);
    graph.output(`level${index}`, graph.spatialToTokens(found));
  });
  return graph.build();
}

class YoloFace {
  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
  ) {}

  step(step: Step, path: string, x: Value, results: readonly Value[]): Value {
    switch (step.kind) {
      case 'stem':
        return this.stem(x, path);
      case 'pyramid':
        return this.pyramid(x, path);
      case 'up':
        return this.graph.upsampleNearest(x, results[step.like]!);
      case 'conv':
        return this.conv(x, path, step.size === 3 ? 2 : 1);
      case 'csp':
        return this.csp(x, path, step.residual);
      case 'shuffle':
        return this.shuffles(x, path);
      case 'concat':
        return this.graph.concat([x, results[step.other]!], 1);
    }
  }

  private stem(x: Value, path: string): Value {
    const first = this.conv(x, `${path}.stem_1`, 2);
    const convolved = this.conv(this.conv(first, `${path}.stem_2a`, 1), `${path}.stem_2b`, 2);
    const pooled = this.graph.maxPool(first, { size: 2, stride: 2, padding: 0, partial: true });
    return this.conv(this.graph.concat([convolved, pooled], 1), `${path}.stem_3`, 1);
  }

  /** SPP: the greatest values around each place, in ever larger squares. */
  private pyramid(x: Value, path: string): Value {
    const { graph } = this;
    const hidden = this.conv(x, `${path}.cv1`, 1);
    const pooled = [3, 5, 7].map((size) =>
      graph.maxPool(hidden, { size, stride: 1, padding: (size - 1) / 2 }),
    );
    return this.conv(graph.concat([hidden, ...pooled], 1), `${path}.cv2`, 1);
  }

  /** C3: a run of bottlenecks beside a way past them. */
  private csp(x: Value, path: string, withResidual: boolean): Value {
    const { graph } = this;
    let hidden = this.conv(x, `${path}.cv1`, 1);
    const count = countOf(this.weights, `${path}.m`);
    for (let index = 0; index < count; index++) {
      const at = `${path}.m.${index}`;
      const changed = this.conv(this.conv(hidden, `${at}.cv1`, 1), `${at}.cv2`, 1);
      hidden = withResidual ? graph.add(hidden, changed) : changed;
    }
    return this.conv(graph.concat([hidden, this.conv(x, `${path}.cv2`, 1)], 1), `${path}.cv3`, 1);
  }

  /** One ShuffleNet block that halves the picture, or a run that keeps its size. */
  private shuffles(x: Value, path: string): Value {
    if (this.weights.has(`${path}.branch2.0.weight`)) return this.shuffle(x, path);
    const count = countOf(this.weights, path);
    for (let index = 0; index < count; index++) x = this.shuffle(x, `${path}.${index}`);
    return x;
  }

  private shuffle(x: Value, path: string): Value {
    const { graph } = this;
    const halved = this.weights.has(`${path}.branch1.0.weight`);
    const channels = Number(x.shape[1]);
    const first = halved ? this.shortBranch(x, `${path}.branch1`) : graph.sliceChannels(x, 0, channels / 2);
    const rest = halved ? x : graph.sliceChannels(x, channels / 2, channels);
    const second = this.longBranch(rest, `${path}.branch2`, halved ? 2 : 1);
    return graph.shuffleChannels(graph.concat([first, second], 1), 2);
  }

  private shortBranch(x: Value, path: string): Value {
    return this.pointwise(this.depthwise(x, `${path}.0`, `${path}.1`, 2), `${path}.2`, `${path}.3`);
  }

  private longBranch(x: Value, path: string, stride: number): Value {
    const hidden = this.pointwise(x, `${path}.0`, `${path}.1`);
    return this.pointwise(this.depthwise(hidden, `${path}.3`, `${path}.4`, stride), `${path}.5`, `${path}.6`);
  }

  private depthwise(x: Value, conv: string, norm: string, stride: number): Value {
    const { weight, bias } = foldBatchNorm(this.weights, conv, norm);
    const groups = weight.shape[0]!;
    return this.graph.within(conv, () =>
      this.graph.groupedConv2d(x, weight, bias, { stride, padding: 1, groups }),
    );
  }

  private pointwise(x: Value, conv: string, norm: string): Value {
    return this.convolved(x, conv, norm, 1);
  }

  private conv(x: Value, path: string, stride: number): Value {
    return this.convolved(x, `${path}.conv`, `${path}.bn`, stride);
  }

  /** Padded so that the size stays, or is halved. */
  private convolved(x: Value, conv: string, norm: string, stride: number): Value {
    const { weight, bias } = foldBatchNorm(this.weights, conv, norm);
    const padding = (weight.shape[2]! - 1) / 2;
    return this.graph.within(conv, () =>
      this.graph.activation(this.graph.conv2d(x, weight, bias, { stride, padding }), 'silu'),
    );
  }
}
