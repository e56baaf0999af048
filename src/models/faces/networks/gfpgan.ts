/**
 * GFPGAN 1.2 to 1.4: a U-Net whose features steer a StyleGAN2 (spandrel architectures/GFPGAN, gfpganv1_clean_arch.py). Noise is the
 * model's stored one, so that a face is restored the same each time.
 */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Weight } from '../../../compute/weight.js';
import { elementCount } from '../../../compute/tensor.js';
import { Layers } from '../../programs/layers.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape, rowSlice } from '../../weights/weight-views.js';
import { valuesOf } from './batch-norm.js';

const SLOPE = 0.2;

export function isGfpgan(weights: WeightSource): boolean {
  return weights.has('toRGB.0.weight') && weights.has('stylegan_decoder.constant_input.weight');
}

/** Input `pixels` N×3×512×512, red, green, blue in [−1, 1]; output `restored` of the same shape. */
export function buildGfpgan(weights: WeightSource): Graph {
  const graph = new GraphBuilder('gfpgan');
  const levels = countOf(weights, 'toRGB');
  const side = 2 ** (levels + 2);
  const pixels = graph.input('pixels', [SymbolicDim.symbol('N'), 3, side, side]);
  const unet = new Unet(graph, weights, levels);
  const { deepest, skips } = unet.encode(pixels);
  const styles = new Styles(graph, weights, deepest);
  graph.output('restored', new Decoder(graph, weights, styles).decode(unet.conditions(deepest, skips)));
  return graph.build();
}

/** What scales and shifts a level of the decoder. */
interface Condition {
  readonly scale: Value;
  readonly shift: Value;
}

class Unet {
  private readonly layers: Layers;

  constructor(
    private readonly graph: GraphBuilder,
    weights: WeightSource,
    private readonly levels: number,
  ) {
    this.layers = new Layers(graph, weights);
  }

  encode(pixels: Value): { readonly deepest: Value; readonly skips: readonly Value[] } {
    let x = this.leaky(this.layers.conv2d(pixels, 'conv_body_first'));
    const skips: Value[] = [];
    for (let level = 0; level < this.levels; level++) {
      x = this.block(x, `conv_body_down.${level}`, 0.5);
      skips.unshift(x);
    }
    return { deepest: this.leaky(this.layers.conv2d(x, 'final_conv', { padding: 1 })), skips };
  }

  /** From the coarsest level on. */
  conditions(deepest: Value, skips: readonly Value[]): readonly Condition[] {
    let x = deepest;
    return skips.map((skip, level) => {
      x = this.block(this.graph.add(x, skip), `conv_body_up.${level}`, 2);
      const part = (name: string) => {
        const path = `${name}.${level}`;
        const hidden = this.leaky(this.layers.conv2d(x, `${path}.0`, { padding: 1 }));
        return this.layers.conv2d(hidden, `${path}.2`, { padding: 1 });
      };
      return { scale: part('condition_scale'), shift: part('condition_shift') };
    });
  }

  private block(x: Value, path: string, factor: 2 | 0.5): Value {
    const { graph, layers } = this;
    const first = this.leaky(layers.conv2d(x, `${path}.conv1`, { padding: 1 }));
    const sized = graph.resizeBilinear(first, factor);
    const second = this.leaky(layers.conv2d(sized, `${path}.conv2`, { padding: 1 }));
    return graph.add(second, layers.conv2d(graph.resizeBilinear(x, factor), `${path}.skip`));
  }

  private leaky(x: Value): Value {
    return this.graph.leakyRelu(x, SLOPE);
  }
}

/** Style codes, N×S×1×1: one for each layer of the decoder, or the same for all. */
class Styles {
  private readonly width: number;
  private readonly count: number;
  private readonly made = new Map<number, Value>();

  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
    private readonly deepest: Value,
  ) {
    this.width = weights.weight('stylegan_decoder.style_conv1.modulated_conv.modulation.weight').shape[1]!;
    this.count = weights.weight('final_linear.weight').shape[0]! / this.width;
  }

  at(layer: number): Value {
    const index = this.count === 1 ? 0 : layer;
    let style = this.made.get(index);
    if (style === undefined) {
      // A linear layer of all of a 4×4 picture is a convolution of that size.
      const [, channels] = this.deepest.shape;
      const rows = rowSlice(this.weights.weight('final_linear.weight'), index * this.width, this.width);
      const kernel = reshape(rows, [this.width, Number(channels), 4, 4]);
      const bias = rowSlice(this.weights.weight('final_linear.bias'), index * this.width, this.width);
      style = this.graph.within('final_linear', () => this.graph.conv2d(this.deepest, kernel, bias));
      this.made.set(index, style);
    }
    return style;
  }
}

class Decoder {
  constructor(
    private readonly graph: GraphBuilder,
    private readonly weights: WeightSource,
    private readonly styles: Styles,
  ) {}

  decode(conditions: readonly Condition[]): Value {
    const { graph, styles, weights } = this;
    const start = graph.constant(weights.weight(this.key('constant_input.weight')));
    let x = this.styled(start, 'style_conv1', styles.at(0), 0);
    let image = this.toRgb(x, 'to_rgb1', styles.at(1));
    conditions.forEach((condition, level) => {
      const layer = 2 * level + 1;
      const raised = graph.resizeBilinear(x, 2);
      x = this.styled(raised, `style_convs.${2 * level}`, styles.at(layer), layer);
      x = this.conditioned(x, condition);
      x = this.styled(x, `style_convs.${2 * level + 1}`, styles.at(layer + 1), layer + 1);
      image = graph.add(
        this.toRgb(x, `to_rgbs.${level}`, styles.at(layer + 2)),
        graph.resizeBilinear(image, 2),
      );
    });
    return image;
  }

  /** Scales and shifts all channels, or the second half where the conditions have as many. */
  private conditioned(x: Value, { scale, shift }: Condition): Value {
    const { graph } = this;
    const channels = Number(x.shape[1]);
    const steered = Number(scale.shape[1]);
    const change = (part: Value) => graph.addBroadcast(graph.multiply(part, scale), shift);
    if (steered === channels) return change(x);
    const same = graph.sliceChannels(x, 0, channels - steered);
    return graph.concat([same, change(graph.sliceChannels(x, channels - steered, channels))], 1);
  }

  /** StyleConv: a modulated convolution, noise, bias and leaky relu. */
  private styled(x: Value, path: string, style: Value, noise: number): Value {
    const { graph, weights } = this;
    const convolved = this.modulated(x, `${path}.modulated_conv`, style, Math.SQRT2);
    const pattern = scaledBy(
      weights.weight(this.key(`noises.noise${noise}`)),
      weights.weight(this.key(`${path}.weight`)),
    );
    const noisy = graph.addBroadcast(convolved, graph.constant(pattern));
    const biased = graph.addBroadcast(noisy, graph.constant(weights.weight(this.key(`${path}.bias`))));
    return graph.leakyRelu(biased, SLOPE);
  }

  private toRgb(x: Value, path: string, style: Value): Value {
    const coloured = this.modulated(x, `${path}.modulated_conv`, style, undefined);
    return this.graph.addBroadcast(
      coloured,
      this.graph.constant(this.weights.weight(this.key(`${path}.bias`))),
    );
  }

  /**
   * A convolution whose kernel is scaled by the style for each input channel, and, with a `gain`, to unit length for each output
   * channel. Scaling the kernel's inputs and outputs is scaling those of the convolution.
   */
  private modulated(x: Value, path: string, style: Value, gain: number | undefined): Value {
    const { graph, weights } = this;
    const [, outputs, inputs, size] = weights.weight(this.key(`${path}.weight`)).shape as number[];
    const kernel = reshape(weights.weight(this.key(`${path}.weight`)), [outputs!, inputs!, size!, size!]);
    const modulation = weights.weight(this.key(`${path}.modulation.weight`));
    return graph.within(this.key(path), () => {
      const scales = graph.conv2d(
        style,
        reshape(modulation, [...modulation.shape, 1, 1]),
        weights.weight(this.key(`${path}.modulation.bias`)),
      );
      const convolved = graph.conv2d(graph.multiply(x, scales), kernel, undefined, {
        padding: (size! - 1) / 2,
      });
      if (gain === undefined) return convolved;
      const squares = graph.multiply(scales, scales);
      const lengths = graph.conv2d(squares, squaredLengths(kernel, gain), epsilonFor(outputs!, gain));
      return graph.multiply(convolved, graph.rsqrt(lengths));
    });
  }

  private key(path: string): string {
    return `stylegan_decoder.${path}`;
  }
}

/** O×I×k×k → O×I×1×1: the squared length over the kernel's places, so divided that its inverse root has the gain in it. */
function squaredLengths(kernel: Weight, gain: number): Weight {
  const [outputs, inputs, ...size] = kernel.shape as [number, number, ...number[]];
  const places = elementCount(size);
  return {
    name: kernel.name,
    shape: [outputs, inputs, 1, 1],
    read(into) {
      const values = valuesOf(kernel);
      for (let i = 0; i < into.length; i++) {
        let sum = 0;
        for (let place = i * places; place < (i + 1) * places; place++) sum += values[place]! ** 2;
        into[i] = sum / gain ** 2;
      }
    },
  };
}

/** ModulatedConv2d's eps. */
function epsilonFor(outputs: number, gain: number): Weight {
  return {
    name: 'eps',
    shape: [outputs],
    read: (into) => {
      into.fill(1e-8 / gain ** 2);
    },
  };
}

function scaledBy(pattern: Weight, factor: Weight): Weight {
  return {
    name: pattern.name,
    shape: pattern.shape,
    read(into) {
      pattern.read(into);
      const [strength = 0] = valuesOf(factor);
      into.forEach((value, index) => (into[index] = value * strength));
    },
  };
}
