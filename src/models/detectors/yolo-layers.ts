/**
 * The layers of YOLO networks, by the classes that ultralytics gives them (ultralytics/nn/modules/conv.py and block.py): what each makes
 * of what comes before.
 */
import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { transposedConv2d } from '../annotators/network.js';
import { foldBatchNorm } from '../faces/networks/batch-norm.js';
import type { TorchModule } from '../files/torch-file/torch-module.js';
import { PickleTuple, type PickleValue } from '../files/torch-file/values.js';
import { ModelError } from '../model-error.js';
import { Layers } from '../programs/layers.js';
import { computed } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';

/** A layer at its path in a file. */
export interface Placed {
  readonly module: TorchModule;
  readonly path: string;
}

type Maker = (layers: YoloLayers, x: Value, placed: Placed) => Value;

/** Those that take one value; `Concat`, `Detect` and `Segment` take several and are the network's own. */
const MAKERS: Readonly<Record<string, Maker>> = {
  Conv: (layers, x, placed) => layers.convolved(x, placed),
  DWConv: (layers, x, placed) => layers.convolved(x, placed),
  Conv2d: (layers, x, { path, module }) => layers.plainConvolution(x, module, path, path),
  Sequential: (layers, x, placed) =>
    [...placed.module.children.keys()].reduce((value, name) => layers.child(value, placed, name), x),
  Identity: (_, x) => x,
  Upsample: (layers, x, placed) => layers.enlarged(x, placed),
  ConvTranspose2d: (layers, x, { path }) =>
    transposedConv2d(layers.nn, layers.weights, x, path, { stride: 2, padding: 0 }),
  C2f: (layers, x, placed) => layers.split(x, placed, each(placed, 'm')),
  C3k2: (layers, x, placed) => layers.split(x, placed, each(placed, 'm')),
  C2: (layers, x, placed) => layers.halved(x, placed),
  C2PSA: (layers, x, placed) => layers.halved(x, placed),
  C3: (layers, x, placed) => layers.besides(x, placed),
  C3k: (layers, x, placed) => layers.besides(x, placed),
  RepCSP: (layers, x, placed) => layers.besides(x, placed),
  RepNCSPELAN4: (layers, x, placed) => layers.split(x, placed, [['cv2'], ['cv3']], 'cv4'),
  ELAN1: (layers, x, placed) => layers.split(x, placed, [['cv2'], ['cv3']], 'cv4'),
  Bottleneck: (layers, x, placed) => layers.bottleneck(x, placed),
  RepBottleneck: (layers, x, placed) => layers.bottleneck(x, placed),
  PSABlock: (layers, x, placed) => layers.attentionBlock(x, placed),
  SPPF: (layers, x, placed) => layers.pyramid(x, placed),
  SPPELAN: (layers, x, placed) => layers.elanPyramid(x, placed),
  RepConv: (layers, x, placed) => layers.reparameterised(x, placed),
  AConv: (layers, x, placed) => layers.child(layers.averaged(x), placed, 'cv1'),
  ADown: (layers, x, placed) => layers.downsampled(x, placed),
  SCDown: (layers, x, placed) => layers.child(layers.child(x, placed, 'cv1'), placed, 'cv2'),
};

/** Parts of a list of layers, each a path below the layer itself. */
function each({ module }: Placed, list: string): readonly (readonly string[])[] {
  return [...(module.children.get(list)?.children.keys() ?? [])].map((name) => [list, name]);
}

export class YoloLayers {
  readonly nn: Layers;

  constructor(
    readonly graph: GraphBuilder,
    readonly weights: WeightSource,
  ) {
    this.nn = new Layers(graph, weights);
  }

  /** Throws `ModelError` naming a class that isn't known. */
  run(x: Value, placed: Placed): Value {
    const { kind } = placed.module;
    const maker = Object.hasOwn(MAKERS, kind) ? MAKERS[kind] : undefined;
    if (maker === undefined) {
      throw new ModelError(
        `${this.weights.path} has a layer of the kind ${kind.slice(0, 60)} at ${placed.path.slice(0, 60)}, which isn't known: YOLOv8's, v9's and 11's are`,
      );
    }
    return maker(this, x, placed);
  }

  child(x: Value, placed: Placed, ...names: readonly string[]): Value {
    return this.run(x, this.at(placed, ...names));
  }

  at(placed: Placed, ...names: readonly string[]): Placed {
    return names.reduce(({ module, path }, name) => {
      const child = module.children.get(name);
      if (child === undefined) throw new ModelError(`${this.weights.path} has no layer ${path}.${name}`);
      return { module: child, path: `${path}.${name}` };
    }, placed);
  }

  /** A convolution, its normalisation (folded into it, or gone already) and its activation. */
  convolved(x: Value, placed: Placed): Value {
    return this.activated(this.normalised(x, placed), placed.module);
  }

  private normalised(x: Value, { module, path }: Placed): Value {
    const conv = this.at({ module, path }, 'conv').module;
    if (!this.weights.has(`${path}.bn.weight`)) return this.plainConvolution(x, conv, `${path}.conv`, path);
    const { weight, bias } = this.folded({ module, path });
    return this.convolution(x, conv, weight, bias, path);
  }

  private folded({ module, path }: Placed) {
    const epsilon = module.children.get('bn')?.attributes.get('eps');
    return foldBatchNorm(
      this.weights,
      `${path}.conv`,
      `${path}.bn`,
      typeof epsilon === 'number' ? epsilon : undefined,
    );
  }

  private activated(x: Value, module: TorchModule): Value {
    const act = module.children.get('act')?.kind ?? 'Identity';
    if (act === 'Identity') return x;
    if (act === 'SiLU') return this.graph.activation(x, 'silu');
    if (act === 'ReLU') return this.graph.activation(x, 'relu');
    throw new ModelError(
      `${this.weights.path} has the activation ${act.slice(0, 60)}: SiLU and ReLU are known`,
    );
  }

  plainConvolution(x: Value, module: TorchModule, key: string, path: string): Value {
    const bias = this.weights.has(`${key}.bias`) ? this.weights.weight(`${key}.bias`) : undefined;
    return this.convolution(x, module, this.weights.weight(`${key}.weight`), bias, path);
  }

  private convolution(
    x: Value,
    module: TorchModule,
    weight: Weight,
    bias: Weight | undefined,
    path: string,
  ): Value {
    const [stride, padding, dilation] = ['stride', 'padding', 'dilation'].map((name) =>
      square(module.attributes.get(name), this.weights.path),
    ) as [number, number, number];
    const groups = module.attributes.get('groups');
    return this.graph.within(path, () =>
      groups === 1 && dilation === 1
        ? this.graph.conv2d(x, weight, bias, { stride, padding })
        : this.graph.groupedConv2d(x, weight, bias, {
            ...{ stride, padding, dilation },
            groups: typeof groups === 'number' ? groups : 1,
          }),
    );
  }

  /** By a whole factor; to the size of what it is joined with, where that is known. */
  enlarged(x: Value, { module, path }: Placed, beside?: Value): Value {
    const factor = wholeFactor(module, `${this.weights.path}: ${path}`);
    return this.graph.upsampleNearest(x, beside ?? factor);
  }

  /** Two halves, and what each of `parts` makes of what comes before, side by side. */
  split(x: Value, placed: Placed, parts: readonly (readonly string[])[], last = 'cv2'): Value {
    const [first, second] = this.halves(this.child(x, placed, 'cv1'));
    const values = [first, second];
    for (const names of parts) values.push(this.child(values.at(-1)!, placed, ...names));
    return this.child(this.graph.concat(values, 1), placed, last);
  }

  halved(x: Value, placed: Placed): Value {
    const [first, second] = this.halves(this.child(x, placed, 'cv1'));
    const changed = this.child(placed.module.kind === 'C2' ? first : second, placed, 'm');
    const both = placed.module.kind === 'C2' ? [changed, second] : [first, changed];
    return this.child(this.graph.concat(both, 1), placed, 'cv2');
  }

  besides(x: Value, placed: Placed): Value {
    const changed = this.child(this.child(x, placed, 'cv1'), placed, 'm');
    return this.child(this.graph.concat([changed, this.child(x, placed, 'cv2')], 1), placed, 'cv3');
  }

  bottleneck(x: Value, placed: Placed): Value {
    const changed = this.child(this.child(x, placed, 'cv1'), placed, 'cv2');
    return placed.module.attributes.get('add') === true ? this.graph.add(x, changed) : changed;
  }

  pyramid(x: Value, placed: Placed): Value {
    const { n, k } = pooling(placed.module);
    const values = [this.child(x, placed, 'cv1')];
    for (let index = 0; index < n; index++) values.push(this.pooled(values.at(-1)!, k));
    const y = this.child(this.graph.concat(values, 1), placed, 'cv2');
    return placed.module.attributes.get('add') === true ? this.graph.add(y, x) : y;
  }

  elanPyramid(x: Value, placed: Placed): Value {
    const values = [this.child(x, placed, 'cv1')];
    for (const name of ['cv2', 'cv3', 'cv4']) {
      values.push(this.pooled(values.at(-1)!, poolSize(this.at(placed, name).module)));
    }
    return this.child(this.graph.concat(values, 1), placed, 'cv5');
  }

  private pooled(x: Value, size: number): Value {
    return this.graph.maxPool(x, { size, stride: 1, padding: Math.floor(size / 2) });
  }

  /** The mean of each square of four; one place fewer along each side. */
  averaged(x: Value): Value {
    const channels = Number(x.shape[1]);
    const quarter = computed('a quarter of each of four', [channels, 1, 2, 2], () =>
      new Float32Array(channels * 4).fill(0.25),
    );
    return this.graph.groupedConv2d(x, quarter, undefined, { stride: 1, padding: 0, groups: channels });
  }

  downsampled(x: Value, placed: Placed): Value {
    const [first, second] = this.halves(this.averaged(x));
    const greatest = this.graph.maxPool(second, { size: 3, stride: 2, padding: 1 });
    return this.graph.concat([this.child(first, placed, 'cv1'), this.child(greatest, placed, 'cv2')], 1);
  }

  /** A 3×3 and a 1×1 convolution of the same value, added before their activation; one convolution where they were joined. */
  reparameterised(x: Value, placed: Placed): Value {
    if (placed.module.children.has('conv')) return this.convolved(x, placed);
    const [wide, narrow] = ['conv1', 'conv2'].map((name) => this.normalised(x, this.at(placed, name)));
    return this.activated(this.graph.add(wide!, narrow!), placed.module);
  }

  attentionBlock(x: Value, placed: Placed): Value {
    const attended = this.attention(x, this.at(placed, 'attn'));
    const isAdded = placed.module.attributes.get('add') === true;
    const y = isAdded ? this.graph.add(x, attended) : attended;
    const changed = this.child(y, placed, 'ffn');
    return isAdded ? this.graph.add(y, changed) : changed;
  }

  private attention(x: Value, placed: Placed): Value {
    const { graph } = this;
    const [heads, keys, values] = ['num_heads', 'key_dim', 'head_dim'].map((name) =>
      Number(placed.module.attributes.get(name)),
    ) as [number, number, number];
    const all = this.child(x, placed, 'qkv');
    // Each head's query, key and value follow one another.
    const part = (from: number, to: number): Value =>
      graph.concat(
        Array.from({ length: heads }, (_, head) => {
          const start = head * (2 * keys + values);
          return graph.sliceChannels(all, start + from, start + to);
        }),
        1,
      );
    const value = part(2 * keys, 2 * keys + values);
    const [query, key, seen] = [part(0, keys), part(keys, 2 * keys), value].map((each) =>
      graph.spatialToTokens(each),
    ) as [Value, Value, Value];
    const mixed = graph.windowAttention(query, key, seen, heads, { scale: keys ** -0.5 });
    const placedBack = graph.add(graph.tokensToSpatial(mixed, x), this.child(value, placed, 'pe'));
    return this.child(placedBack, placed, 'proj');
  }

  private halves(x: Value): [Value, Value] {
    const channels = Number(x.shape[1]);
    const { graph } = this;
    return [graph.sliceChannels(x, 0, channels / 2), graph.sliceChannels(x, channels / 2, channels)];
  }
}

function pooling(module: TorchModule): { readonly n: number; readonly k: number } {
  const n = module.attributes.get('n');
  const pool = module.children.get('m');
  return { n: typeof n === 'number' ? n : 3, k: pool === undefined ? 5 : poolSize(pool) };
}

function poolSize({ attributes }: TorchModule): number {
  const size = attributes.get('kernel_size');
  return typeof size === 'number' ? size : 5;
}

/** The one number that torch keeps for both sides. */
function square(value: PickleValue | undefined, path: string): number {
  const [height, width] = value instanceof PickleTuple ? value.items : [value, value];
  if (typeof height === 'number' && height === width) return height;
  throw new ModelError(`${path} has a convolution whose sides differ, or that is padded by its kind`);
}

function wholeFactor({ attributes }: TorchModule, path: string): number {
  const factor = attributes.get('scale_factor');
  if (attributes.get('mode') === 'nearest' && typeof factor === 'number' && Number.isInteger(factor)) {
    return factor;
  }
  throw new ModelError(`${path} enlarges in a way that isn't known: by nearest places and a whole factor is`);
}
