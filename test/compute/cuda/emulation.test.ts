import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/compute/backend.js';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { GraphBuilder } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import type { Weight } from '../../../src/compute/weight.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { narrowToF16 } from '../../../src/native/addon.js';
import { dtypeNames, dtypes } from '../../../src/native/dtypes.js';
import { narrowToCodes } from '../../support/codes.js';
import { blockTypes, blockWeight } from '../../support/block-weights.js';
import { writeSafetensors } from '../../support/models.js';
import { relativeRms } from '../../support/golden.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { tinyNetworks } from '../../support/tiny-goldens.js';
import { operationCases, relativeError } from '../fixtures.js';
import { keepsInfinityInAttention, keepsNaN } from '../not-a-number.js';
import { CUDA_CASES } from './cases.js';

const addon = emulatedCudaAddon();
const backend = createCudaBackend({ addon, device: new addon.CudaDevice(0) });

describe('the kernels, on the emulated card', () => {
  const cases = operationCases('test/fixtures/compute/ops.safetensors');

  it.each(cases.filter(({ name }) => CUDA_CASES.has(name)))('$name', async ({ graph, inputs, expected }) => {
    const program = await backend.load(graph);
    const { out } = await program.run(inputs);
    await program.dispose();
    expect(out!.shape).toEqual(expected.shape);
    expect(relativeError(out!.data, expected.data)).toBeLessThan(2e-3);
  });
});

describe('NaN stays on the emulated card', () => {
  const cases = operationCases('test/fixtures/compute/ops.safetensors');
  keepsNaN(
    cases.filter(({ name }) => CUDA_CASES.has(name)),
    backend,
  );
  keepsInfinityInAttention(backend);
});

describe('weights as files hold them, on the emulated card', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-card-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const wide = Float32Array.from({ length: 40 * 24 }, (_, index) => Math.sin(index * 1.3) * 2);
  const inPlace = dtypeNames.filter((name) => dtypes[name].inPlace && dtypes[name].blockValues === 1);
  const narrowed: Readonly<Record<string, () => ArrayBufferView>> = {
    F32: () => wide,
    F16: () => narrowToF16(wide),
    BF16: () => Uint16Array.from(new Uint32Array(wide.buffer), (bits) => bits >>> 16),
    F8_E4M3: () => narrowToCodes('F8_E4M3', wide),
    F8_E5M2: () => narrowToCodes('F8_E5M2', wide),
  };

  async function compare(weight: Weight): Promise<void> {
    const [, columns = 0] = weight.shape;
    const graph = new GraphBuilder('stored');
    graph.output('y', graph.linear(graph.input('x', [3, columns]), weight));
    const built = graph.build();
    const values = Float32Array.from({ length: 3 * columns }, (_, index) => Math.cos(index));
    const run = async (load: Backend) => {
      return (await (await load.load(built)).run({ x: tensor([3, columns], values) })).y!.data;
    };
    expect(relativeError(await run(backend), await run(createOnnxBackend({ threads: 1 })))).toBeLessThan(
      1e-3,
    );
  }

  it.each(blockTypes)('%s', async (dtype) => {
    const weight = blockWeight(join(folder, dtype), dtype, [40, 512]);
    await compare(weight);
    weight.file.close();
  });

  it('with a scale of the whole weight', async () => {
    const weight = blockWeight(join(folder, 'scaled'), 'F8_E5M2', [40, 24], { scale: 0.25 });
    await compare(weight);
    weight.file.close();
  });

  it.each([...inPlace, 'F64' as const])('%s', async (dtype) => {
    const raw = dtype === 'F64' ? Float64Array.from(wide) : narrowed[dtype]!();
    const path = join(folder, `${dtype}.safetensors`);
    const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
    writeSafetensors(path, { weight: { dtype, shape: [40, 24], bytes } });
    const weight = safetensorsWeights(openSafetensors(path)).weight('weight');
    await compare(weight);
  });
});

describe.each(['sd15', 'sdxl'] as const)('the tiny networks of %s, on the emulated card', (family) => {
  const networks = tinyNetworks(family, backend);

  it.each([
    ['denoiser', 2e-3],
    ['text encoder', 2e-3],
    ['pooled text', 2e-3],
    // In bfloat16.
    ['encoder', 2e-2],
    ['decoder', 1e-2],
  ] as const)('%s: ComfyUI’s numbers', { timeout: 300_000 }, async (name, tolerance) => {
    const { actual, expected } = await networks[name]();
    expect(relativeRms(actual, expected)).toBeLessThan(tolerance);
  });
});
