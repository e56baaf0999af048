import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bindDims, graphCost } from '../../src/compute/cost.js';
import { SymbolicDim } from '../../src/compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../src/compute/graph.js';
import type { StoredDType, Weight } from '../../src/compute/weight.js';
import { recogniseCheckpoint } from '../../src/models/families/recognise.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import { fixtureManifest } from '../support/golden.js';
import { writeHollowCheckpoint } from '../support/models.js';

const unread = () => {
  throw new Error('counting reads no weights');
};
const weight = (...shape: number[]): Weight => ({ name: `w${shape.join('x')}`, shape, read: unread });
const stored = (dtype: StoredDType, ...shape: number[]): Weight => ({
  ...weight(...shape),
  stored: { file: { widen: unread }, offset: 0, dtype },
});

/** One operation over inputs of these shapes. */
function single(shapes: number[][], body: (graph: GraphBuilder, inputs: Value[]) => Value): Graph {
  const graph = new GraphBuilder('test');
  const inputs = shapes.map((shape, index) => graph.input(`x${index}`, shape));
  graph.output('y', body(graph, inputs));
  return graph.build();
}

const N = 2;

/** By hand: FLOPs, then values read and written (4 bytes each) and bytes of weights. */
const cases: [string, Graph, readonly [flops: number, values: number, weightBytes: number]][] = [
  [
    'convolution with bias: 27 products and 27 sums a result',
    single([[N, 3, 8, 6]], (g, [x]) => g.conv2d(x!, weight(5, 3, 3, 3), weight(5), { padding: 1 })),
    [N * 5 * 8 * 6 * (2 * 27 + 1), N * 3 * 48 + N * 5 * 48, (135 + 5) * 4],
  ],
  [
    'convolution with stride 2, padded below and to the right, float16 weights',
    single([[1, 4, 8, 8]], (g, [x]) =>
      g.conv2d(x!, stored('F16', 4, 4, 3, 3), undefined, { stride: 2, padding: [0, 0, 1, 1] }),
    ),
    [4 * 4 * 4 * 2 * 36, 4 * 64 + 4 * 16, 144 * 2],
  ],
  [
    'linear layer on tokens',
    single([[N, 7, 10]], (g, [x]) => g.linear(x!, stored('BF16', 6, 10), weight(6))),
    [N * 7 * 6 * 21, N * 7 * 16, 60 * 2 + 6 * 4],
  ],
  [
    'linear layer on vectors, without bias',
    single([[N, 10]], (g, [x]) => g.linear(x!, weight(6, 10))),
    [N * 6 * 20, N * 16, 240],
  ],
  [
    'group norm',
    single([[N, 8, 3, 3]], (g, [x]) => g.groupNorm(x!, 4, weight(8), weight(8), 1e-5)),
    [N * 72 * 8, 2 * N * 72, 64],
  ],
  [
    'layer norm',
    single([[N, 5, 8]], (g, [x]) => g.layerNorm(x!, weight(8), weight(8))),
    [N * 40 * 8, 2 * N * 40, 64],
  ],
  ['silu', single([[N, 5]], (g, [x]) => g.activation(x!, 'silu')), [40, 20, 0]],
  ['gelu', single([[N, 5]], (g, [x]) => g.activation(x!, 'gelu')), [50, 20, 0]],
  ['relu', single([[N, 5]], (g, [x]) => g.activation(x!, 'relu')), [10, 20, 0]],
  ['geglu: gelu of one half times the other', single([[N, 3, 8]], (g, [x]) => g.geglu(x!)), [144, 72, 0]],
  [
    'attention: 2 products of 16 channels and 2 heads of softmax for each of 2·4·5 pairs',
    single(
      [
        [N, 4, 16],
        [N, 5, 16],
        [N, 5, 16],
      ],
      (g, [q, k, v]) => g.attention(q!, k!, v!, 2),
    ),
    [40 * (2 * 2 * 16 + 2 * 6), N * (4 + 5 + 5 + 4) * 16, 0],
  ],
  [
    'causal attention: 1 + 2 + 3 + 4 pairs',
    single(
      [
        [1, 4, 16],
        [1, 4, 16],
        [1, 4, 16],
      ],
      (g, [q, k, v]) => g.attention(q!, k!, v!, 1, { causal: true }),
    ),
    [10 * (64 + 6), 4 * 64, 0],
  ],
  [
    'sum',
    single(
      [
        [3, 4],
        [3, 4],
      ],
      (g, [a, b]) => g.add(a!, b!),
    ),
    [12, 36, 0],
  ],
  ['scaling', single([[3, 4]], (g, [x]) => g.scale(x!, 2)), [12, 24, 0]],
  [
    'sum per channel',
    single(
      [
        [N, 3, 4, 4],
        [N, 3],
      ],
      (g, [x, v]) => g.addPerChannel(x!, v!),
    ),
    [96, 96 + 6 + 96, 0],
  ],
  ['sum with rows', single([[N, 7, 4]], (g, [x]) => g.addRows(x!, weight(7, 4))), [56, 112, 112]],
  [
    'joining',
    single(
      [
        [1, 2, 3],
        [1, 4, 3],
      ],
      (g, [a, b]) => g.concat([a!, b!], 1),
    ),
    [0, 36, 0],
  ],
  ['enlarging', single([[1, 2, 3, 3]], (g, [x]) => g.upsampleNearest(x!, 2)), [0, 18 + 72, 0]],
  ['another order of axes', single([[1, 2, 3, 3]], (g, [x]) => g.spatialToTokens(x!)), [0, 0, 0]],
];

describe('one operation', () => {
  it.each(cases)('%s', (_, graph, [flops, values, weightBytes]) => {
    const cost = graphCost(graph, {});
    expect(cost).toMatchObject({ flops, bytes: values * 4 + weightBytes, weightBytes });
    expect(cost.nodes).toHaveLength(1);
  });

  it('selection of a token: one row of each sequence, and its index', () => {
    const graph = new GraphBuilder('test');
    const x = graph.input('x', [N, 7, 4]);
    graph.output('y', graph.selectToken(x, graph.input('index', [N], 'int32')));
    expect(graphCost(graph.build(), {})).toMatchObject({ flops: 0, bytes: (8 + 2 + 8) * 4 });
  });
});

describe('symbolic extents', () => {
  const graph = new GraphBuilder('test');
  const [n, h] = [SymbolicDim.symbol('N'), SymbolicDim.symbol('H')];
  const x = graph.input('x', [n, 3, h, h]);
  graph.within('down', () => {
    graph.output('y', graph.conv2d(x, weight(4, 3, 3, 3), undefined, { stride: 2, padding: 1 }));
  });
  const built = graph.build();

  it('are taken from the shapes of the inputs', () => {
    expect(bindDims(built, { x: [2, 3, 9, 9] })).toEqual({ N: 2, H: 9 });
    expect(graphCost(built, bindDims(built, { x: [2, 3, 9, 9] })).flops).toBe(2 * 4 * 25 * 54);
  });

  it('must be given', () => {
    expect(() => graphCost(built, { N: 2 })).toThrow(RangeError);
  });

  it('each node says which layer it belongs to', () => {
    const [node] = graphCost(built, { N: 1, H: 8 }).nodes;
    expect(node).toMatchObject({ layer: 'down', kind: 'conv2d' });
  });
});

describe('a UNet evaluation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-cost-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function unetOf(manifest: string): Graph {
    const path = join(folder, `${manifest}.safetensors`);
    writeHollowCheckpoint(fixtureManifest(`golden/manifests/${manifest}`), path);
    const { denoiser } = recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));
    return denoiser.network.graph(denoiser.weights);
  }

  it('of SD 1.5 at 64×64 takes 0.8 TFLOP, and reads 860 million weights', () => {
    const cost = graphCost(unetOf('sd15-full'), { N: 1, H: 64, W: 64, T: 77 });
    expect(cost.flops / 1e12).toBeCloseTo(0.8, 1);
    // float16
    expect(cost.weightBytes / 2e6).toBeCloseTo(859.5, 0);
  });

  it('of SDXL at 128×128 takes 6 TFLOP and attention, and reads 2.57 billion weights', () => {
    const cost = graphCost(unetOf('sdxl-full'), { N: 1, H: 128, W: 128, T: 77 });
    const attention = cost.nodes.filter(({ kind }) => kind === 'attention');
    const apart = attention.reduce((sum, { flops }) => sum + flops, 0);
    expect((cost.flops - apart) / 1e12).toBeCloseTo(6, 1);
    expect(cost.weightBytes / 2e9).toBeCloseTo(2.57, 2);
  });

  it('of two rows takes twice the work, and the weights once', () => {
    const graph = unetOf('sd15-tiny');
    const [one, two] = [1, 2].map((n) => graphCost(graph, { N: n, H: 8, W: 8, T: 77 }));
    expect(two!.flops).toBe(2 * one!.flops);
    expect(two!.weightBytes).toBe(one!.weightBytes);
    expect(two!.bytes - two!.weightBytes).toBe(2 * (one!.bytes - one!.weightBytes));
  });
});
