/** Single layers at sizes that take every path through the kernels, with weights and inputs of no pattern. */
import { SymbolicDim } from '../../src/compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../src/compute/graph.js';
import { elementCount, tensor, type Tensor } from '../../src/compute/tensor.js';
import type { Weight } from '../../src/compute/weight.js';

export interface KernelCase {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/** Values in [−1, 1), the same at every run. */
function values(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

function weight(name: string, ...shape: number[]): Weight {
  const fanIn = shape.length === 1 ? 1 : elementCount(shape.slice(1));
  const data = values(elementCount(shape), name.length + shape[0]!).map(
    (value) => value / Math.sqrt(fanIn / 3),
  );
  return {
    name,
    shape,
    read(into) {
      into.set(data);
    },
  };
}

type Build = (graph: GraphBuilder, x: Value, other?: Value) => Value;

function kernelCase(
  name: string,
  shapes: readonly (readonly number[])[],
  build: Build,
  range?: 'wide',
): KernelCase {
  const graph = new GraphBuilder(name, range === undefined ? {} : { range });
  const inputs: Record<string, Tensor> = {};
  const operands = shapes.map((shape, index) => {
    inputs[`x${index}`] = tensor(shape, values(elementCount(shape), 17 + index));
    const dims = shape.map((extent, axis) => {
      const channels = shape.length === 3 ? axis === 2 : axis === 1;
      return channels ? extent : SymbolicDim.symbol(`extent${extent}`);
    });
    return graph.input(`x${index}`, dims);
  });
  graph.output('y', build(graph, operands[0]!, operands[1]));
  return { name, graph: graph.build(), inputs };
}

const padded = { padding: 1 };

/** `size` 1 is for the emulation; a card takes 8. */
export function kernelCases(size: number): KernelCase[] {
  const c = 40 * size;
  const side = 8 * size + 3;
  const tokens = 50 * size + 7;
  const conv =
    (outputs: number, inputs: number, options = {}): Build =>
    (g, x) =>
      g.conv2d(x, weight('w', outputs, inputs, 3, 3), weight('b', outputs), { ...padded, ...options });
  const attention =
    (heads: number, causal = false): Build =>
    (g, q, k) =>
      g.attention(q, k ?? q, k ?? q, heads, { causal });
  return [
    kernelCase('convolution', [[2, c, side, side]], conv(c + 8, c)),
    kernelCase('convolution in bfloat16', [[2, c, side, side]], conv(c + 8, c), 'wide'),
    kernelCase('convolution of 4 channels', [[2, 4, side, side]], conv(c, 4)),
    kernelCase('convolution to 4 channels', [[2, c, side, side]], conv(4, c)),
    kernelCase('convolution, stride 2', [[2, c, side, side]], conv(c, c, { stride: 2 })),
    kernelCase(
      'convolution, padded at one side',
      [[1, c, side, side]],
      conv(c, c, { padding: [0, 0, 1, 1], stride: 2 }),
    ),
    kernelCase('convolution of an enlarged image', [[2, c, side, side]], (g, x) =>
      conv(c, c)(g, g.upsampleNearest(x, 2)),
    ),
    kernelCase(
      'convolution, sums, silu and residual',
      [
        [2, c, side, side],
        [2, c],
      ],
      (g, x, v) => g.add(g.activation(g.addPerChannel(conv(c, c)(g, x), v!), 'silu'), x),
    ),
    kernelCase('linear', [[2, tokens, c]], (g, x) => g.linear(x, weight('w', 3 * c, c), weight('b', 3 * c))),
    kernelCase('linear of two rows', [[2, c]], (g, x) =>
      g.linear(x, weight('w', 2 * c, c), weight('b', 2 * c)),
    ),
    kernelCase('linear and residual', [[2, tokens, c]], (g, x) =>
      g.add(x, g.linear(x, weight('w', c, c), weight('b', c))),
    ),
    kernelCase('linear, geglu', [[2, tokens, c]], (g, x) =>
      g.geglu(g.linear(x, weight('w', 8 * c, c), weight('b', 8 * c))),
    ),
    kernelCase('group norm and silu', [[2, 32 * size, side, side]], (g, x) =>
      g.activation(g.groupNorm(x, 32, weight('w', 32 * size), weight('b', 32 * size), 1e-5), 'silu'),
    ),
    kernelCase('layer norm', [[2, tokens, c]], (g, x) => g.layerNorm(x, weight('w', c), weight('b', c))),
    ...[40, 64, 80, 128, 160].map((width) =>
      kernelCase(`attention, heads of ${width}`, [[2, tokens, 2 * width]], attention(2)),
    ),
    kernelCase(
      'attention to 77 keys',
      [
        [2, tokens, 128],
        [2, 77, 128],
      ],
      attention(2),
    ),
    kernelCase('causal attention', [[2, 77, 128]], attention(2, true)),
    kernelCase('attention, a head of 512', [[1, tokens, 512]], attention(1)),
    kernelCase('attention, a head of 512 in bfloat16', [[1, tokens, 512]], attention(1), 'wide'),
    kernelCase('attention, heads of 320', [[2, tokens, 640]], attention(2)),
    kernelCase('causal attention, heads of 256', [[1, tokens, 512]], attention(2, true)),
  ];
}
