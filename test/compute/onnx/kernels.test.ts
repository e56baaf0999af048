/** Every kernel, in every way that it goes about sizes and types, against ONNX Runtime's own operators. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { createPlainOnnxBackend } from '../../../src/compute/onnx/plain/backend.js';
import { GraphBuilder, type Value } from '../../../src/compute/graph.js';
import { SymbolicDim } from '../../../src/compute/dim.js';
import { elementCount, tensor, type Tensor } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';
import { hasFastBf16, MappedFile, narrowToF16 } from '../../../src/native/addon.js';
import { dtypeNames, dtypes } from '../../../src/native/dtypes.js';
import { narrowToCodes } from '../../support/codes.js';
import { relativeError } from '../fixtures.js';

/** Values of no pattern in [−1, 1), the same at every run. */
function values(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

/** Values as they are, or such as bfloat16 has. */
type Rounding = (values: Float32Array) => Float32Array;
const asTheyAre: Rounding = (values) => values;
const toBf16: Rounding = (values) =>
  new Float32Array(new Uint32Array(values.slice().buffer).map((bits) => bits & 0xffff0000).buffer);

function plainWeight(name: string, shape: readonly number[], seed: number, rounding = asTheyAre): Weight {
  const fanIn = shape.length === 1 ? 1 : elementCount(shape.slice(1));
  const data = rounding(values(elementCount(shape), seed).map((value) => value / Math.sqrt(fanIn)));
  return {
    name,
    shape,
    read(into) {
      into.set(data);
    },
  };
}

const folder = mkdtempSync(join(tmpdir(), 'latentd-kernels-'));
const files: MappedFile[] = [];
afterAll(() => {
  for (const file of files) file.close();
  rmSync(folder, { recursive: true });
});

/** Every type that kernels take as it lies, but for those of block-weights.test.ts, and one that they must be given widened. */
const storedTypes = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const;

it('every type that is used in place is tried here', () => {
  expect(storedTypes).toEqual(
    expect.arrayContaining(
      dtypeNames.filter((name) => dtypes[name].inPlace && dtypes[name].blockValues === 1),
    ),
  );
});

/** The weight in a mapped file, at an odd byte, rounded to `dtype`. */
function storedWeight(weight: Weight, dtype: (typeof storedTypes)[number]): Weight {
  const wide = new Float32Array(elementCount(weight.shape));
  weight.read(wide);
  const bits = new Uint32Array(wide.buffer);
  const raw = {
    F64: () => Float64Array.from(wide),
    F32: () => wide,
    F16: () => narrowToF16(wide),
    BF16: () => Uint16Array.from(bits, (value) => value >>> 16),
    F8_E4M3: () => narrowToCodes('F8_E4M3', wide),
    F8_E5M2: () => narrowToCodes('F8_E5M2', wide),
  }[dtype]();
  const path = join(folder, `${weight.name}.${files.length}`);
  const offset = 3;
  writeFileSync(path, Buffer.concat([Buffer.alloc(offset), new Uint8Array(raw.buffer)]));
  const file = new MappedFile(path);
  files.push(file);
  return {
    name: weight.name,
    shape: weight.shape,
    read(into) {
      file.widen(offset, dtype, into);
    },
    stored: { file, offset, dtype },
  };
}

type Build = (graph: GraphBuilder, ...inputs: Value[]) => Value;

const plain = createPlainOnnxBackend({ threads: 1 });

/** Builds a graph whose every extent but the channels is symbolic, and compares both ways to run it. */
async function compare(
  backend: ReturnType<typeof createOnnxBackend>,
  shapes: readonly (readonly number[])[],
  build: Build,
  { rounding = asTheyAre, error = 2e-6 } = {},
): Promise<void> {
  const graph = new GraphBuilder('case', { mayRound: true });
  const inputs: Record<string, Tensor> = {};
  const operands = shapes.map((shape, index) => {
    const name = `input${index}`;
    inputs[name] = tensor(shape, rounding(values(elementCount(shape), 17 + index)));
    // Equal extents are the same symbol, so that sums of inputs are seen to fit.
    const symbol = (axis: number): SymbolicDim => SymbolicDim.symbol(`extent${shape[axis]!}`);
    const dims = shape.map((extent, axis) => {
      const channels = shape.length === 3 ? axis === 2 : axis === 1;
      return channels ? extent : symbol(axis);
    });
    return graph.input(name, dims);
  });
  graph.output('out', build(graph, ...operands));
  const built = graph.build();
  const [ours, theirs] = await Promise.all([backend.load(built), plain.load(built)]);
  const [actual, expected] = await Promise.all([ours.run(inputs), theirs.run(inputs)]);
  await Promise.all([ours.dispose(), theirs.dispose()]);
  expect(actual.out!.shape).toEqual(expected.out!.shape);
  expect(relativeError(actual.out!.data, expected.out!.data)).toBeLessThan(error);
}

const conv = (weight: Weight, bias?: Weight, options?: Parameters<GraphBuilder['conv2d']>[3]): Build => {
  return (graph, x) => graph.conv2d(x, weight, bias, options);
};
type MakeWeight = (name: string, shape: readonly number[], seed: number) => Weight;
const w: MakeWeight = plainWeight;
const padded = { padding: 1 };

type Case = readonly [name: string, shapes: readonly (readonly number[])[], build: Build];

/** Each case takes another way through the kernels; the names say which. */
const casesWith = (w: MakeWeight): readonly Case[] => [
  [
    'winograd, few tiles, whole vectors a row',
    [[1, 24, 12, 64]],
    conv(w('w', [20, 24, 3, 3], 1), w('b', [20], 2), padded),
  ],
  [
    'winograd, few tiles, odd size',
    [[3, 20, 13, 9]],
    conv(w('w', [13, 20, 3, 3], 1), w('b', [13], 2), padded),
  ],
  [
    'winograd, few tiles of 4×4, odd size',
    [[2, 24, 31, 37]],
    conv(w('w', [30, 24, 3, 3], 1), w('b', [30], 2), padded),
  ],
  [
    'winograd, few tiles of 4×4, many passes',
    [[1, 400, 16, 18]],
    conv(w('w', [30, 400, 3, 3], 1), undefined, padded),
  ],
  ['winograd, many passes', [[1, 700, 8, 8]], conv(w('w', [30, 700, 3, 3], 1), undefined, padded)],
  ['winograd, many tiles', [[1, 16, 128, 160]], conv(w('w', [50, 16, 3, 3], 1), w('b', [50], 2), padded)],
  [
    'winograd, many tiles, odd size',
    [[2, 17, 95, 171]],
    conv(w('w', [3, 17, 3, 3], 1), w('b', [3], 2), padded),
  ],
  [
    'winograd, one-sided padding',
    [[1, 16, 20, 21]],
    conv(w('w', [16, 16, 3, 3], 1), undefined, { padding: [0, 1, 2, 0] }),
  ],
  ['winograd, no padding', [[1, 16, 20, 21]], conv(w('w', [16, 16, 3, 3], 1))],
  [
    'taps, stride 2',
    [[2, 18, 17, 40]],
    conv(w('w', [70, 18, 3, 3], 1), w('b', [70], 2), { padding: 1, stride: 2 }),
  ],
  ['taps, few inputs', [[1, 4, 16, 16]], conv(w('w', [33, 4, 3, 3], 1), w('b', [33], 2), padded)],
  [
    'taps, 4×4 image',
    [[2, 300, 4, 4]],
    conv(w('w', [60, 300, 3, 3], 1), w('b', [60], 2), { padding: [1, 1, 1, 1] }),
  ],
  ['taps, odd number of values', [[2, 15, 7, 9]], conv(w('w', [20, 15, 3, 3], 1), undefined, padded)],
  ['taps, 7×7 kernel', [[1, 5, 19, 23]], conv(w('w', [9, 5, 7, 7], 1), undefined, { padding: 3 })],
  ['taps, 1×1 at stride 2', [[1, 16, 15, 15]], conv(w('w', [24, 16, 1, 1], 1), undefined, { stride: 2 })],
  ['pointwise, columns shared', [[1, 400, 13, 17]], conv(w('w', [61, 400, 1, 1], 1), w('b', [61], 2))],
  ['pointwise, columns of each thread', [[1, 36, 64, 71]], conv(w('w', [61, 36, 1, 1], 1), w('b', [61], 2))],
  ['linear, one column', [[1, 333]], (g, x) => g.linear(x, w('w', [77, 333], 1), w('b', [77], 2))],
  ['linear, tokens', [[2, 77, 96]], (g, x) => g.linear(x, w('w', [40, 96], 1))],
  [
    'linear, activation and residual',
    [[2, 9, 32]],
    (g, x) => g.add(x, g.activation(g.linear(x, w('w', [32, 32], 1), w('b', [32], 2)), 'gelu')),
  ],
  ['linear, geglu', [[2, 9, 32]], (g, x) => g.geglu(g.linear(x, w('w', [134, 32], 1), w('b', [134], 2)))],
  [
    'convolution, sums per channel, silu and residual',
    [
      [2, 24, 10, 12],
      [2, 24],
    ],
    (g, x, v) => {
      const sums = g.addPerChannel(g.conv2d(x, w('w', [24, 24, 3, 3], 1), w('b', [24], 2), padded), v);
      return g.add(g.activation(sums, 'silu'), x);
    },
  ],
  [
    'two convolutions that are summed',
    [[1, 20, 9, 9]],
    (g, x) =>
      g.add(
        g.conv2d(x, w('s', [16, 20, 1, 1], 3)),
        g.conv2d(x, w('w', [16, 20, 3, 3], 1), undefined, padded),
      ),
  ],
  [
    'a convolution summed with itself, and read twice',
    [[1, 16, 6, 6]],
    (g, x) => {
      const hidden = g.conv2d(x, w('w', [16, 16, 3, 3], 1), undefined, padded);
      return g.add(g.add(hidden, hidden), g.activation(hidden, 'silu'));
    },
  ],
  [
    'group norm and silu',
    [[2, 24, 9, 7]],
    (g, x) => g.activation(g.groupNorm(x, 8, w('w', [24], 1), w('b', [24], 2), 1e-5), 'silu'),
  ],
  ['layer norm, several strips', [[3, 101, 20]], (g, x) => g.layerNorm(x, w('w', [20], 1), w('b', [20], 2))],
  [
    'attention, several key blocks',
    [
      [1, 50, 24],
      [1, 2100, 24],
    ],
    (g, q, k) => g.attention(q, k, k, 3),
  ],
  ['attention, causal', [[2, 77, 32]], (g, x) => g.attention(x, x, x, 4, { causal: true })],
  ['attention, wide heads', [[1, 40, 300]], (g, x) => g.attention(x, x, x, 2)],
];

const processorHas = (kernels: 'avx512' | 'avx2'): Promise<boolean> => {
  const graph = new GraphBuilder('probe');
  graph.output('y', graph.input('x', [1]));
  return createOnnxBackend({ kernels })
    .load(graph.build())
    .then((program) => program.dispose())
    .then(
      () => true,
      () => false,
    );
};

const sets: { readonly kernels: 'portable' | 'avx2' | 'avx512' }[] = [{ kernels: 'portable' }];
for (const kernels of ['avx2', 'avx512'] as const) {
  if (await processorHas(kernels)) sets.push({ kernels });
}

describe.each(sets)('$kernels kernels agree with ONNX Runtime', ({ kernels }) => {
  describe.each([1, 2, 3])('on %i threads', (threads) => {
    const backend = createOnnxBackend({ kernels, threads });
    it.each(casesWith(w))('%s', async (_, shapes, build) => {
      await compare(backend, shapes, build);
    });
  });

  describe.each(storedTypes)('with weights stored as %s', (dtype) => {
    const backend = createOnnxBackend({ kernels, threads: 2 });
    it.each([
      ['pointwise', [1, 50, 6, 7], storedWeight(w('w', [21, 50, 1, 1], 1), dtype)],
      ['taps', [1, 9, 6, 7], storedWeight(w('w', [21, 9, 3, 3], 1), dtype)],
      ['winograd', [1, 75, 10, 10], storedWeight(w('w', [21, 75, 3, 3], 1), dtype)],
    ] as const)('%s', async (_, shape, weight) => {
      await compare(backend, [shape], conv(weight, undefined, { padding: (weight.shape[2]! - 1) / 2 }));
    });
  });
});

const roundingSets: { readonly kernels: 'portable' | 'avx512' }[] = [{ kernels: 'portable' }];
if (hasFastBf16()) roundingSets.push({ kernels: 'avx512' });

describe.each(roundingSets)('$kernels kernels in bf16', ({ kernels }) => {
  describe.each([1, 3])('on %i threads', (threads) => {
    const backend = createOnnxBackend({ kernels, threads, precision: 'bf16' });
    const cases = casesWith((name, shape, seed) => plainWeight(name, shape, seed, toBf16));
    // Soft maximum's weights are rounded whatever goes into it.
    it.each(cases)('are exact where operands are bfloat16: %s', async (name, shapes, build) => {
      await compare(backend, shapes, build, {
        rounding: toBf16,
        error: name.startsWith('attention') ? 5e-3 : 2e-6,
      });
    });
    it.each(casesWith(w))('round to 8 bits: %s', async (_, shapes, build) => {
      await compare(backend, shapes, build, { error: 1e-2 });
    });
  });

  describe.each(storedTypes)('with weights stored as %s', (dtype) => {
    const backend = createOnnxBackend({ kernels, threads: 2, precision: 'bf16' });
    it.each([
      ['pointwise', [1, 51, 6, 7], storedWeight(w('w', [21, 51, 1, 1], 1), dtype)],
      ['taps', [1, 9, 6, 7], storedWeight(w('w', [21, 9, 3, 3], 1), dtype)],
    ] as const)('%s', async (_, shape, weight) => {
      const build = conv(weight, undefined, { padding: (weight.shape[2]! - 1) / 2 });
      await compare(backend, [shape], build, { error: 1e-2 });
    });
  });

  it('leave graphs alone that may not be rounded', async () => {
    const backend = createOnnxBackend({ kernels, threads: 1, precision: 'bf16' });
    const graph = new GraphBuilder('exact');
    graph.output('y', graph.linear(graph.input('x', [1, 40]), w('w', [16, 40], 1)));
    const built = graph.build();
    const inputs = { x: tensor([1, 40], values(40, 3)) };
    const [exact, rounded] = await Promise.all(
      [built, { ...built, mayRound: true }].map(async (each) => {
        const program = await backend.load(each);
        return (await program.run(inputs)).y!.data;
      }),
    );
    const expected = (await (await plain.load(built)).run(inputs)).y!.data;
    expect(relativeError(exact!, expected)).toBeLessThan(2e-6);
    expect(relativeError(rounded!, expected)).toBeGreaterThan(1e-4);
  });
});
