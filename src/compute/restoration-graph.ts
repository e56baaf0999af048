/** Builds graphs with the operations of networks that find and restore faces. */
import { addDims, convolvedDim, formatShape, multiplyDims, sameDim, SymbolicDim, type Dim } from './dim.js';
import { GraphBuilder, type Padding, type Value } from './graph.js';
import type { Weight } from './weight.js';

export class RestorationGraph extends GraphBuilder {
  groupedConv2d(
    x: Value,
    weight: Weight,
    bias: Weight | undefined,
    options: { readonly stride: number; readonly padding: number; readonly groups: number },
  ): Value {
    const { stride, padding, groups } = options;
    const [outputs, inputs, kernelHeight, kernelWidth] = this.weightShape(weight, 4);
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'grouped_conv2d');
    this.check(
      channels === inputs * groups && outputs % groups === 0,
      `grouped_conv2d needs ${inputs * groups} channels for ${weight.name}, got ${formatShape(x.shape)}`,
    );
    this.checkVector(bias, outputs, weight);
    const around: Padding = [padding, padding, padding, padding];
    return this.emit({ kind: 'grouped_conv2d', x, weight, bias, stride, padding: around, groups }, [
      batch,
      outputs,
      convolvedDim(height, kernelHeight, stride, 2 * padding),
      convolvedDim(width, kernelWidth, stride, 2 * padding),
    ]);
  }

  leakyRelu(x: Value, slope: number): Value {
    return this.emit({ kind: 'leaky_relu', x, slope }, x.shape);
  }

  rsqrt(x: Value): Value {
    return this.emit({ kind: 'rsqrt', x }, x.shape);
  }

  /** `partial` squares lie over the edge by what the stride leaves: torch's ceil_mode. */
  maxPool(
    x: Value,
    options: {
      readonly size: number;
      readonly stride: number;
      readonly padding: number;
      readonly partial?: boolean;
    },
  ): Value {
    const { size, stride, padding, partial = false } = options;
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'max_pool');
    const beyond = 2 * padding + (partial ? stride - 1 : 0);
    const pooled = (extent: Dim) => convolvedDim(extent, size, stride, beyond);
    return this.emit({ kind: 'max_pool', x, size, stride, padding, partial }, [
      batch,
      channels,
      pooled(height),
      pooled(width),
    ]);
  }

  /** Extents to be halved are even. */
  resizeBilinear(x: Value, factor: 2 | 0.5): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'resize_bilinear');
    const size = (extent: Dim) => (factor === 2 ? multiplyDims(extent, 2) : halfOf(extent));
    return this.emit({ kind: 'resize_bilinear', x, factor }, [batch, channels, size(height), size(width)]);
  }

  padReflect(x: Value, padding: Padding): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'pad_reflect');
    const [top, left, bottom, right] = padding;
    return this.emit({ kind: 'pad_reflect', x, padding }, [
      batch,
      channels,
      addDims(height, top + bottom),
      addDims(width, left + right),
    ]);
  }

  addBroadcast(a: Value, b: Value): Value {
    return this.broadcast('add', a, b);
  }

  multiply(a: Value, b: Value): Value {
    return this.broadcast('multiply', a, b);
  }

  constant(weight: Weight): Value {
    const shape = this.weightShape(weight, 4);
    this.check(
      shape[0] === 1,
      `constant needs a leading extent of 1, ${weight.name} has ${formatShape(shape)}`,
    );
    return this.emit({ kind: 'constant', weight }, shape);
  }

  selectRows(scores: Value, table: Weight): Value {
    const [rows, channels] = this.weightShape(table, 2);
    const [batch, tokens, classes] = this.shapeOf(scores, 3, 'select_rows');
    this.check(
      classes === rows,
      `select_rows needs ${rows} scores a token for ${table.name}, got ${formatShape(scores.shape)}`,
    );
    return this.emit({ kind: 'select_rows', scores, table }, [batch, tokens, channels]);
  }

  sliceChannels(x: Value, from: number, to: number): Value {
    const [batch, channels, height, width] = this.shapeOf(x, 4, 'slice_channels');
    this.check(
      typeof channels === 'number' && from < to && to <= channels,
      `slice_channels has no channels ${from} to ${to} in ${formatShape(x.shape)}`,
    );
    return this.emit({ kind: 'slice_channels', x, from, to }, [batch, to - from, height, width]);
  }

  shuffleChannels(x: Value, groups: number): Value {
    const [, channels] = this.shapeOf(x, 4, 'shuffle_channels');
    this.check(
      typeof channels === 'number' && channels % groups === 0,
      `shuffle_channels can't part ${formatShape(x.shape)} in ${groups}`,
    );
    return this.emit({ kind: 'shuffle_channels', x, groups }, x.shape);
  }

  private broadcast(fn: 'add' | 'multiply', a: Value, b: Value): Value {
    this.check(
      a.shape.length === b.shape.length &&
        a.shape.every((dim, axis) => dim === 1 || b.shape[axis] === 1 || sameDim(dim, b.shape[axis]!)),
      `broadcast can't join ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
    const shape = a.shape.map((dim, axis) => (dim === 1 ? b.shape[axis]! : dim));
    return this.emit({ kind: 'broadcast', function: fn, a, b }, shape);
  }
}

function halfOf(extent: Dim): Dim {
  if (typeof extent === 'number') return extent / 2;
  return SymbolicDim.derived(`(${extent.text}/2)`, (bindings) => extent.evaluate(bindings) / 2);
}
