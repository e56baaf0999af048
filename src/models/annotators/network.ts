/** Networks that make hints of pictures: what a family of files is, and graphs of their layers. */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { Layers } from '../programs/layers.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';

export interface AnnotatorFamily {
  readonly name: string;
  /** Whether a file is of this family, by its keys. */
  readonly recognises: (weights: WeightSource) => boolean;
  /** From `x`, 1×3×H×W, and what else the family's own inputs are, to `y`. */
  readonly graph: (weights: WeightSource) => Graph;
  /** Sides that it takes are multiples of this. */
  readonly multipleOf: number;
}

export type AnnotatorLayers = Layers;

/** A graph of layers from a picture `x` to `y`. */
export function annotatorGraph(
  name: string,
  weights: WeightSource,
  body: (layers: AnnotatorLayers, x: Value) => Value,
): Graph {
  const graph = new GraphBuilder(name);
  const [height, width] = [SymbolicDim.symbol('height'), SymbolicDim.symbol('width')];
  const x = graph.input('x', [1, 3, height, width]);
  graph.output('y', body(new Layers(graph, weights), x));
  return graph.build();
}

/** Instance normalisation without weights. */
export function instanceNorm({ graph }: AnnotatorLayers, x: Value): Value {
  const channels = Number(x.shape[1]);
  const all = (value: number): Weight =>
    computed(`${channels} times ${value}`, [channels], () => new Float32Array(channels).fill(value));
  return graph.groupNorm(x, channels, all(1), all(0), 1e-5);
}

/** torch's ConvTranspose2d with a result `stride` times as large: a convolution of each of the places that a pixel becomes. */
export function transposedConv2d(
  nn: AnnotatorLayers,
  weights: WeightSource,
  x: Value,
  path: string,
  { stride, padding }: { readonly stride: number; readonly padding: number },
): Value {
  const source = weights.weight(`${path}.weight`);
  const [inputs = 0, outputs = 0, side = 0] = source.shape;
  /** Of place `at`, how far the pixel lies that tap `tap` brings. */
  const distance = (at: number, tap: number): number => (at + padding - tap) / stride;
  const places = Array.from({ length: stride }, (_, at) => at);
  const taps = Array.from({ length: side }, (_, tap) => tap);
  const reached = places.flatMap((at) => taps.map((tap) => distance(at, tap))).filter(Number.isInteger);
  const [first, last] = [Math.min(0, ...reached), Math.max(0, ...reached)];
  const size = last - first + 1;
  const kernel = computed(`${path}.weight`, [outputs * stride * stride, inputs, size, size], () => {
    const values = valuesOf(source);
    const result = new Float32Array(outputs * stride * stride * inputs * size * size);
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input++) {
        for (const y of places) {
          for (const x of places) {
            const into = ((output * stride + y) * stride + x) * inputs + input;
            for (const row of taps) {
              for (const column of taps) {
                const [dy, dx] = [distance(y, row), distance(x, column)];
                if (!Number.isInteger(dy) || !Number.isInteger(dx)) continue;
                const from = ((input * outputs + output) * side + row) * side + column;
                result[(into * size + dy - first) * size + dx - first] = values[from]!;
              }
            }
          }
        }
      }
    }
    return result;
  });
  const bias = weights.has(`${path}.bias`) ? weights.weight(`${path}.bias`) : undefined;
  const repeated =
    bias &&
    computed(bias.name, [outputs * stride * stride], () => {
      const values = valuesOf(bias);
      return Float32Array.from(
        { length: outputs * stride * stride },
        (_, at) => values[Math.floor(at / (stride * stride))]!,
      );
    });
  const { graph } = nn;
  const around = [-first, -first, last, last] as const;
  return graph.within(path, () =>
    graph.pixelShuffle(graph.conv2d(x, kernel, repeated, { padding: around }), stride),
  );
}
