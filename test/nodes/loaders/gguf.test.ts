/** GGUF files through their loaders: whole models of blocks, against the same values in float32. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elementCount, tensor, type Tensor } from '../../../src/compute/tensor.js';
import { createEngine, type Engine } from '../../../src/index.js';
import type { DiffusionModel } from '../../../src/models/denoiser/diffusion-model.js';
import { openModelFile } from '../../../src/models/files/model-file.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { valuesOf } from '../../../src/models/weights/weight-values.js';
import { defineNode, link } from '../../../src/nodes/definition.js';
import { fitsQ8, writeGguf, type GgufTensor } from '../../support/gguf-files.js';
import { relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { writeSafetensors, type TensorBytes } from '../../support/models.js';

const models = mkdtempSync(join(tmpdir(), 'latentd-gguf-models-'));
let engine: Engine;
let loaded: DiffusionModel;
const keepModel = defineNode({
  name: 'KeepModel',
  displayName: 'KeepModel',
  category: 'test',
  description: '',
  required: { model: link('MODEL') },
  optional: {},
  outputs: [],
  outputNode: true,
  run({ model }) {
    loaded = model;
    return { outputs: [] };
  },
});

beforeAll(() => {
  const folder = join(models, 'diffusion_models');
  mkdirSync(folder);
  const source = safetensorsWeights(openSafetensors(syntheticCheckpoint('transformers/flux-dev-tiny')));
  const tensors: Record<string, GgufTensor> = {};
  for (const key of source.keys()) {
    const weight = source.weight(key);
    const type = fitsQ8(weight.shape) ? 'Q8_0' : 'F32';
    tensors[key] = { shape: weight.shape, values: valuesOf(weight), type };
  }
  writeGguf(join(folder, 'flux.gguf'), 'flux', tensors);
  const blocks = safetensorsWeights(openModelFile(join(folder, 'flux.gguf')));
  const plain: Record<string, TensorBytes> = {};
  for (const key of blocks.keys()) {
    const weight = blocks.weight(key);
    plain[key] = { dtype: 'F32', shape: weight.shape, bytes: new Uint8Array(valuesOf(weight).buffer) };
  }
  writeSafetensors(join(folder, 'flux.safetensors'), plain);
  engine = createEngine({
    folders: { models, input: models, output: models, temp: models },
    threads: 2,
    nodes: [keepModel],
  });
});
afterAll(async () => {
  await engine.dispose();
  rmSync(models, { recursive: true });
});

const wave = (shape: readonly number[]): Tensor =>
  tensor(
    shape,
    Float32Array.from({ length: elementCount(shape) }, (_, index) => Math.sin(index * 0.37)),
  );

/** What the model that a loader gives predicts for the same input. */
async function prediction(loader: string, inputs: Readonly<Record<string, unknown>>): Promise<Tensor> {
  const workflow = {
    1: { class_type: loader, inputs },
    2: { class_type: 'KeepModel', inputs: { model: ['1', 0] } },
  };
  expect(await engine.run(JSON.stringify(workflow), { forceOutputs: true })).toMatchObject({
    status: 'success',
  });
  const columns = (key: string): number => loaded.weights.weight(key).shape[1]!;
  return loaded.predict({
    x: wave([1, 16, 4, 6]),
    timesteps: Float32Array.of(0.7),
    inputs: {
      context: wave([1, 5, columns('txt_in.weight')]),
      pooled: wave([1, columns('vector_in.in_layer.weight')]),
      guidance: tensor([1, 1], Float32Array.of(3.5)),
    },
  });
}

describe('loaders of GGUF files', () => {
  it('use blocks where they lie, with products in float16 unless told otherwise', async () => {
    const plain = await prediction('UNETLoader', { unet_name: 'flux.safetensors', weight_dtype: 'default' });
    const blocks = await prediction('UnetLoaderGGUF', { unet_name: 'flux.gguf' });
    const held = [...loaded.weights.keys()].map((key) => loaded.weights.weight(key).stored?.dtype);
    expect(held).toContain('Q8_0');
    expect(relativeRms(blocks, plain)).toBeLessThan(2e-6);
    const byPlainLoader = { unet_name: 'flux.gguf', weight_dtype: 'default' };
    expect(await prediction('UNETLoader', byPlainLoader)).toEqual(blocks);
    const advanced = { unet_name: 'flux.gguf', patch_dtype: 'default', patch_on_device: false };
    const wide = await prediction('UnetLoaderGGUFAdvanced', { ...advanced, dequant_dtype: 'float32' });
    expect(relativeRms(wide, plain)).toBeGreaterThan(1e-5);
    expect(relativeRms(wide, plain)).toBeLessThan(2e-3);
    const asBefore = await prediction('UnetLoaderGGUFAdvanced', { ...advanced, dequant_dtype: 'default' });
    expect(asBefore).toEqual(blocks);
  });
});
