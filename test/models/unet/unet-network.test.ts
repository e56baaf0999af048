import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { createDiffusionModel } from '../../../src/models/denoiser/create-diffusion-model.js';
import type { ControlResiduals } from '../../../src/models/denoiser/control.js';
import type { DiffusionModel } from '../../../src/models/denoiser/diffusion-model.js';
import { recogniseCheckpoint } from '../../../src/models/families/recognise.js';
import { ModelError } from '../../../src/models/model-error.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import {
  fixtureManifest,
  goldenTensors,
  relativeRms,
  syntheticCheckpoint,
  tinyCheckpoint,
  type GoldenTensors,
} from '../../support/golden.js';
import { copyScaled, writeHollowCheckpoint } from '../../support/models.js';
import { fillSynthetic } from '../../support/synthetic.js';

let folder: string;
const programs = createProgramCache(createOnnxBackend());
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-unet-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await programs.dispose();
});

function open(path: string): DiffusionModel {
  const { denoiser } = recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));
  return createDiffusionModel(denoiser, programs);
}

/** `value` of each element and the noise level of its row. */
function byRow(x: Tensor, sigmas: Tensor, value: (index: number, sigma: number) => number): Tensor {
  const size = x.data.length / sigmas.data.length;
  return tensor(
    x.shape,
    x.data.map((_, index) => value(index, sigmas.data[Math.floor(index / size)]!)),
  );
}

/** The denoised prediction, as ComfyUI's `apply_model` makes it of the network's (comfy/model_sampling.py). */
async function denoise(
  model: DiffusionModel,
  golden: GoldenTensors,
  control?: ControlResiduals,
): Promise<Tensor> {
  const x = golden('x');
  const sigma = golden('sigma');
  const predicted = await model.predict({
    x: byRow(x, sigma, (index, s) => x.data[index]! / Math.sqrt(s * s + 1)),
    timesteps: golden('timestep').data,
    inputs: Object.fromEntries(model.inputs.map(({ name }) => [name, golden(name)])),
    control,
  });
  return byRow(x, sigma, (index, s) => {
    const output = predicted.data[index]!;
    return model.sampling.prediction === 'v_prediction'
      ? x.data[index]! / (s * s + 1) - (output * s) / Math.sqrt(s * s + 1)
      : x.data[index]! - output * s;
  });
}

const featureChannels = [32, 32, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128];
const featureExtents = [
  [9, 13],
  [5, 7],
  [3, 4],
  [2, 2],
];
/** What the input blocks of sd15-tiny yield for three rows of 9×13; sdxl-tiny has the first nine of them. */
const features = featureChannels.map((channels, index) => [
  3,
  channels,
  ...featureExtents[Math.floor(index / 3)]!,
]);

/** 30 times the synthetic values of its name, as tools/reference/diffusion_variants.py has it. */
function residual(place: string, shape: readonly number[]): Tensor {
  const value = tensor(shape);
  fillSynthetic(`control.${place}`, shape, value.data);
  value.data.forEach((each, index) => (value.data[index] = 30 * each));
  return value;
}

function prefixed(golden: GoldenTensors, prefix: string): GoldenTensors {
  return (name) => golden(prefix + name);
}

describe('one evaluation is ComfyUI’s', () => {
  it.each(['sd15', 'sdxl'] as const)('of %s', async (family) => {
    const golden = prefixed(goldenTensors(`golden/${family}-tiny.golden.safetensors`), 'unet.');
    const denoised = await denoise(open(tinyCheckpoint(family)), golden);
    expect(relativeRms(denoised, golden('denoised'))).toBeLessThan(2e-5);
  });

  it.each(['sd15', 'sdxl'] as const)('of %s, three rows of a latent that halves unevenly', async (family) => {
    const golden = goldenTensors(`diffusion/${family}-odd.golden.safetensors`);
    expect(golden('x').shape).toEqual([3, 4, 9, 13]);
    const denoised = await denoise(open(tinyCheckpoint(family)), golden);
    expect(relativeRms(denoised, golden('denoised'))).toBeLessThan(2e-5);
  });

  it.each([
    ['sd2', 'in bfloat16'],
    ['sd15-inpaint', 'in float16 and float32 mixed'],
    ['refiner', 'in float32'],
    ['koala', 'a pruned SDXL'],
  ] as const)('of %s, %s', async (...[name]) => {
    const golden = goldenTensors(`diffusion/${name}.golden.safetensors`);
    const denoised = await denoise(open(syntheticCheckpoint(`diffusion/${name}`)), golden);
    expect(relativeRms(denoised, golden('denoised'))).toBeLessThan(2e-5);
  });

  it.each(['sd15', 'sdxl'] as const)('of %s, steered by a control', async (family) => {
    const odd = goldenTensors(`diffusion/${family}-odd.golden.safetensors`);
    const golden = goldenTensors(`diffusion/${family}-control.golden.safetensors`);
    const model = open(tinyCheckpoint(family));
    const shapes = features.slice(0, family === 'sd15' ? 12 : 9);
    const places = [
      ...shapes.flatMap((shape, index) => (index === 3 ? [] : [[`skip.${index}`, shape] as const])),
      ...[2, 5].map((index) => [`block.${index}`, shapes[index]!] as const),
      ['middle', shapes.at(-1)!] as const,
    ];
    const control = Object.fromEntries(places.map(([place, shape]) => [place, residual(place, shape)]));
    const denoised = await denoise(model, odd, control);
    expect(relativeRms(denoised, golden('denoised'))).toBeLessThan(2e-5);
    expect(relativeRms(denoised, odd('denoised'))).toBeGreaterThan(1e-2);
  });

  it('of sd2 with v-prediction', async () => {
    const golden = goldenTensors('diffusion/sd2-v.golden.safetensors');
    const path = join(folder, 'sd2-v.safetensors');
    const key = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
    copyScaled(syntheticCheckpoint('diffusion/sd2-v'), path, { [key]: 4 });
    const denoised = await denoise(open(path), golden);
    expect(relativeRms(denoised, golden('denoised'))).toBeLessThan(2e-5);
  });
});

describe('a UNet model', () => {
  it('names the layer of a file whose shapes contradict each other', async () => {
    const key = 'model.diffusion_model.middle_block.0.out_layers.3.weight';
    const path = join(folder, 'contradictory.safetensors');
    writeHollowCheckpoint(
      { ...fixtureManifest('golden/manifests/sd15-tiny'), [key]: ['F16', [128, 64, 3, 3]] },
      path,
    );
    const predicted = open(path).predict({ ...evaluation, inputs: { context: tensor([1, 7, 128]) } });
    await expect(predicted).rejects.toThrow(ModelError);
    await expect(predicted).rejects.toThrow(
      /contradictory\.safetensors.*unet\.middle_block\.0\.out_layers\.3: conv2d needs 64 channels/,
    );
  });

  const evaluation = { x: tensor([1, 4, 8, 8]), timesteps: Float32Array.of(500) };

  it('says when the conditioning is another model’s', async () => {
    const model = open(tinyCheckpoint('sd15'));
    const wide = model.predict({ ...evaluation, inputs: { context: tensor([1, 77, 320]) } });
    await expect(wide).rejects.toThrow(ModelError);
    await expect(wide).rejects.toThrow(/takes text encodings of width 128, the conditioning has 320/);
    const sdxl = open(tinyCheckpoint('sdxl'));
    await expect(sdxl.predict({ ...evaluation, inputs: { context: tensor([1, 77, 320]) } })).rejects.toThrow(
      /needs pooled text and sizes/,
    );
  });

  it('says when a control is made for another model', async () => {
    const control = { 'skip.12': tensor([1, 128, 1, 1]) };
    const asked = open(tinyCheckpoint('sd15')).predict({
      ...evaluation,
      inputs: { context: tensor([1, 77, 128]) },
      control,
    });
    await expect(asked).rejects.toThrow(ModelError);
    await expect(asked).rejects.toThrow(/no place skip\.12 for what a control adds/);
  });

  it('changes its output and identity with patches, and goes back without', async () => {
    const model = open(tinyCheckpoint('sd15'));
    const context = tensor([1, 77, 128]);
    const before = await model.predict({ ...evaluation, inputs: { context } });
    const patch = {
      identity: 'bias',
      apply(values: Float32Array) {
        values.fill(1);
      },
    };
    const other = model.withPatches(new Map([['out.2.bias', [patch]]]));
    expect(other.identity).not.toBe(model.identity);
    const after = await other.predict({ ...evaluation, inputs: { context } });
    const bias = new Float32Array(4);
    model.weights.weight('out.2.bias').read(bias);
    after.data.forEach((value, index) => {
      expect(value).toBeCloseTo(before.data[index]! - bias[Math.floor(index / 64)]! + 1, 5);
    });
    expect(await model.predict({ ...evaluation, inputs: { context } })).toEqual(before);
  });

  it('keeps its program when only its sampling changes', () => {
    const model = open(tinyCheckpoint('sd15'));
    const other = model.withSampling({ ...model.sampling, identity: 'other', prediction: 'x0' });
    expect(other.identity).not.toBe(model.identity);
    expect(other.weights.identity).toBe(model.weights.identity);
  });
});
