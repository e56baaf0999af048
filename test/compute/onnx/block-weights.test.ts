/** Weights whose values share scales, used where they lie, against the same widened beforehand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { elementCount, tensor } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';
import { hasFastBf16, type MappedFile } from '../../../src/native/addon.js';
import { dtypes, type StoredDType } from '../../../src/native/dtypes.js';
import { blockTypes, blockWeight } from '../../support/block-weights.js';
import { relativeError } from '../fixtures.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-blocks-'));
const files: MappedFile[] = [];
afterAll(() => {
  for (const file of files) file.close();
  rmSync(folder, { recursive: true });
});

interface Case {
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly build: (graph: GraphBuilder, x: Value, weight: Weight) => Value;
}

/** Rows longer than a pass, and passes that begin inside a block; kernels of nine values, which no block is whole of. */
const cases: Readonly<Record<string, Case>> = {
  'one column': { input: [1, 768], weight: [37, 768], build: (g, x, w) => g.linear(x, w) },
  'many columns': { input: [2, 70, 1280], weight: [41, 1280], build: (g, x, w) => g.linear(x, w) },
  gates: { input: [1, 9, 512], weight: [62, 512], build: (g, x, w) => g.geglu(g.linear(x, w)) },
  '3×3': {
    input: [1, 256, 9, 12],
    weight: [18, 256, 3, 3],
    build: (g, x, w) => g.conv2d(x, w, undefined, { padding: 1 }),
  },
  'stride 2': {
    input: [1, 256, 9, 12],
    weight: [18, 256, 3, 3],
    build: (g, x, w) => g.conv2d(x, w, undefined, { padding: 1, stride: 2 }),
  },
};

const wave = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7));

async function difference(
  dtype: StoredDType,
  { input, weight: shape, build }: Case,
  options: Parameters<typeof createOnnxBackend>[0] & { readonly scale?: number },
): Promise<number> {
  const { scale, ...backend } = options;
  const weight = blockWeight(
    join(folder, `${files.length}`),
    dtype,
    shape,
    scale === undefined ? {} : { scale },
  );
  files.push(weight.file);
  const values = new Float32Array(elementCount(shape));
  weight.read(values);
  const widened: Weight = {
    name: 'widened',
    shape,
    read(into) {
      into.set(values);
    },
  };
  const run = async (used: Weight): Promise<Float32Array> => {
    const graph = new GraphBuilder('blocks', { mayRound: true });
    graph.output('y', build(graph, graph.input('x', input), used));
    const program = await createOnnxBackend(backend).load(graph.build());
    const { y } = await program.run({ x: tensor(input, wave(elementCount(input))) });
    await program.dispose();
    return y!.data;
  };
  return relativeError(await run(weight), await run(widened));
}

describe.each(['portable', 'avx2', 'avx512'] as const)('%s kernels', (kernels) => {
  it.each(blockTypes)('use %s where it lies', async (dtype) => {
    for (const [name, item] of Object.entries(cases)) {
      expect(await difference(dtype, item, { kernels, threads: 2 }), name).toBeLessThan(1e-6);
    }
  });

  it.each(['Q4_K', 'Q8_0', 'F8_E4M3'] as const)(
    'multiply %s by a scale of the whole weight',
    async (dtype) => {
      for (const [name, item] of Object.entries(cases)) {
        expect(await difference(dtype, item, { kernels, threads: 1, scale: 0.37 }), name).toBeLessThan(1e-6);
      }
    },
  );
});

describe.each(hasFastBf16() ? (['portable', 'avx512'] as const) : (['portable'] as const))(
  '%s kernels in bf16',
  (kernels) => {
    it.each(['Q4_0', 'Q6_K', 'Q4_K_F32'] as const)('round %s as they round float32', async (dtype) => {
      expect(dtypes[dtype].inPlace).toBe(true);
      for (const [name, item] of Object.entries(cases)) {
        expect(await difference(dtype, item, { kernels, threads: 1, precision: 'bf16' }), name).toBeLessThan(
          1e-6,
        );
      }
    });
  },
);
