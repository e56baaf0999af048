import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend, Program } from '../../../src/compute/backend.js';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { encodeWeights } from '../../../src/compute/cuda/encode-weights.js';
import { lowerCuda } from '../../../src/compute/cuda/lower.js';
import { GraphBuilder, type Graph } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import type { LowRankProduct, Weight } from '../../../src/compute/weight.js';
import { createFolders } from '../../../src/models/folders/folders.js';
import { applyLora } from '../../../src/models/lora/apply-lora.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { patched } from '../../../src/models/weights/patched.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { fixture, goldenTensors, relativeRms, tinyCheckpoint } from '../../support/golden.js';
import { f32, writeSafetensors } from '../../support/models.js';

const addon = emulatedCudaAddon();
const card = createCudaBackend({ addon, device: new addon.CudaDevice(0) });
const folder = mkdtempSync(join(tmpdir(), 'latentd-lora-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function pattern(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin((index + 1) * 12.9898 * seed) / 4);
}

const shapes = {
  'conv.weight': [24, 16, 3, 3],
  'conv.up': [24, 5, 1, 1],
  'conv.down': [5, 16, 3, 3],
  'gate.weight': [64, 24],
  'gate.up': [64, 3],
  'gate.down': [3, 24],
};

const path = join(folder, 'layers.safetensors');
writeSafetensors(
  path,
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape], index) => [
      name,
      f32(shape, [
        ...pattern(
          shape.reduce((product, extent) => product * extent),
          index + 1,
        ),
      ]),
    ]),
  ),
);
const layers = safetensorsWeights(openSafetensors(path));

/** factor · up · down for `name`, as a LoRA's patch. */
function patchFor(name: 'conv' | 'gate', factor: number) {
  const product: LowRankProduct = {
    up: layers.weight(`${name}.up`),
    down: layers.weight(`${name}.down`),
    factor,
  };
  const read = (weight: Weight): Float32Array => {
    const values = new Float32Array(weight.shape.reduce((count, extent) => count * extent));
    weight.read(values);
    return values;
  };
  return {
    identity: `${name} ${factor}`,
    product,
    apply(values: Float32Array) {
      const [up, down] = [read(product.up), read(product.down)];
      const rank = product.down.shape[0]!;
      const columns = down.length / rank;
      values.forEach((_, index) => {
        const [row, column] = [Math.floor(index / columns), index % columns];
        for (let r = 0; r < rank; r++)
          values[index]! += factor * up[row * rank + r]! * down[r * columns + column]!;
      });
    },
  };
}

/** A convolution, and a layer whose halves are woven, with `conv` and `gate` LoRAs of these factors on them. */
function graphWith(...factors: readonly number[]): Graph {
  const source = factors.reduce(
    (weights, factor) =>
      patched(
        weights,
        new Map([
          ['conv.weight', [patchFor('conv', factor)]],
          ['gate.weight', [patchFor('gate', factor)]],
        ]),
      ),
    layers,
  );
  const graph = new GraphBuilder('layers');
  const x = graph.conv2d(graph.input('x', [1, 16, 6, 5]), source.weight('conv.weight'), undefined, {
    padding: 1,
  });
  graph.output('y', graph.geglu(graph.linear(graph.spatialToTokens(x), source.weight('gate.weight'))));
  return graph.build();
}

async function outputOf(backend: Backend, graph: Graph): Promise<Tensor> {
  const program = await backend.load(graph);
  const { y } = await program.run({ x: tensor([1, 16, 6, 5], pattern(480, 3)) });
  await program.dispose();
  return y!;
}

describe('low-rank products are added on the card', () => {
  it.each([[[0.5]], [[0.5, -1.25]]])(
    'with factors %j, to a convolution and to woven rows',
    async (factors) => {
      const graph = graphWith(...factors);
      const parts = encodeWeights(lowerCuda(graph, {}).weights).flatMap((entry) => entry.parts);
      expect(parts.map(({ products }) => products?.length)).toEqual([factors.length, factors.length]);
      const [actual, expected] = [await outputOf(card, graph), await outputOf(createOnnxBackend(), graph)];
      expect(relativeRms(actual, expected)).toBeLessThan(2e-3);
      expect(relativeRms(expected, await outputOf(card, graphWith()))).toBeGreaterThan(0.02);
    },
  );

  it('and only what they change is copied where the plain model is there', async () => {
    const [plain, changed] = [await card.load(graphWith()), await card.load(graphWith(0.5))];
    const again = await card.load(graphWith(0.5));
    expect(changed.residentBytes).toBe(plain.residentBytes);
    expect(again.residentBytes).toBe(0);
    const run = async (program: Program) =>
      (await program.run({ x: tensor([1, 16, 6, 5], pattern(480, 3)) }))['y']!;
    const expected = await run(changed);
    await plain.dispose();
    await changed.dispose();
    // What it borrowed stays.
    expect(relativeRms(await run(again), expected)).toBe(0);
    await again.dispose();
  });
});

describe.each(['sd15', 'sdxl'] as const)('a LoRA on %s, on the emulated card', (family) => {
  const loads: number[] = [];
  const counted: Backend = {
    ...card,
    async load(graph) {
      const program = await card.load(graph);
      loads.push(program.residentBytes);
      return program;
    },
  };
  const places = createFolders({ models: folder, input: folder, output: folder, temp: folder });
  const { clip, model } = createModelStore({
    programs: createProgramCache(counted),
    folders: places,
  }).checkpoint(tinyCheckpoint(family));
  const golden = goldenTensors(`golden/${family}-tiny.golden.safetensors`);
  const positive =
    'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels';

  it(
    'changes the text encoders as in ComfyUI, and copies less than they are',
    { timeout: 60_000 },
    async () => {
      await clip.encode(positive);
      const whole = loads.splice(0).reduce((sum, bytes) => sum + bytes);
      const lora = safetensorsWeights(openSafetensors(fixture(`golden/${family}-tiny-lora.safetensors`)));
      const changed = applyLora('tiny', lora, { model, clip }, { model: 0, clip: 0.6 });
      const { cond } = await changed.clip.encode(positive);
      expect(relativeRms(cond, golden('lora.cond'))).toBeLessThan(2e-3);
      expect(loads.reduce((sum, bytes) => sum + bytes)).toBeLessThan(0.8 * whole);
    },
  );
});
