/** DAT's biases for relative positions, which a small network computes of them (DynamicPosBias). */
import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import { relativeIndex } from './windows.js';

/** heads×T×T for a window. */
export function positionBias(
  weights: WeightSource,
  path: string,
  { height, width }: { readonly height: number; readonly width: number },
): Weight {
  const heads = weights.weight(`${path}.pos.pos3.2.weight`).shape[0]!;
  const tokens = height * width;
  const index = relativeIndex(height, width);
  const prepare = positionNetwork(weights, `${path}.pos`);
  return computed(`${path}.pos`, [heads, tokens, tokens], () => {
    const rows: Float64Array[] = [];
    const network = prepare();
    for (let down = 1 - height; down < height; down++) {
      for (let right = 1 - width; right < width; right++) rows.push(network(Float64Array.of(down, right)));
    }
    const bias = new Float32Array(elementCount([heads, tokens, tokens]));
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) {
        const row = rows[index(i, j)]!;
        for (let head = 0; head < heads; head++) bias[(head * tokens + i) * tokens + j] = row[head]!;
      }
    }
    return bias;
  });
}

type Layer = (x: Float64Array) => Float64Array;
/** Reads the weights that a layer needs. */
type Prepare = () => Layer;

function positionNetwork(weights: WeightSource, path: string): Prepare {
  const layers = [
    linear(weights, `${path}.pos_proj`),
    ...[1, 2, 3].flatMap((step) => [
      layerNormRelu(weights, `${path}.pos${step}.0`),
      linear(weights, `${path}.pos${step}.2`),
    ]),
  ];
  return () => {
    const prepared = layers.map((prepare) => prepare());
    return (x) => prepared.reduce((value, layer) => layer(value), x);
  };
}

function linear(weights: WeightSource, path: string): Prepare {
  const parts = ['weight', 'bias'].map((name) => weights.weight(`${path}.${name}`));
  return () => {
    const [weight, bias] = parts.map(valuesOf);
    return (x) =>
      Float64Array.from(bias!, (offset, row) =>
        x.reduce((sum, value, column) => sum + value * weight![row * x.length + column]!, offset),
      );
  };
}

function layerNormRelu(weights: WeightSource, path: string): Prepare {
  const parts = ['weight', 'bias'].map((name) => weights.weight(`${path}.${name}`));
  return () => {
    const [weight, bias] = parts.map(valuesOf);
    return (x) => {
      const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
      const deviation = Math.sqrt(variance + 1e-5);
      return x.map((value, at) => Math.max(((value - mean) / deviation) * weight![at]! + bias![at]!, 0));
    };
  };
}
