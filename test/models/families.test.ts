import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recogniseCheckpoint } from '../../src/models/families.js';
import { ModelError } from '../../src/models/model-error.js';
import { openSafetensors } from '../../src/models/safetensors.js';
import { safetensorsWeights } from '../../src/models/safetensors-weights.js';
import type { Manifest } from '../../src/models/synthetic.js';
import { fixtureManifest, syntheticCheckpoint } from '../support/golden.js';
import { copyScaled, f32, readTensors, writeHollowCheckpoint, writeSafetensors } from '../support/models.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-families-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function recognise(path: string) {
  return recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));
}

function recogniseKeys(manifest: Manifest) {
  const path = join(folder, 'model.safetensors');
  writeHollowCheckpoint(manifest, path);
  return recognise(path);
}

const sdxl = fixtureManifest('golden/manifests/sdxl-full');

describe('recogniseCheckpoint', () => {
  it('sizes SD 1.5', () => {
    const { family, unet, latentFormat, sampling } = recogniseKeys(
      fixtureManifest('golden/manifests/sd15-full'),
    );
    expect(family).toBe('sd1');
    expect(unet).toEqual({
      inChannels: 4,
      outChannels: 4,
      modelChannels: 320,
      residualBlocks: [2, 2, 2, 2],
      channelMultipliers: [1, 2, 4, 4],
      transformerDepth: [1, 1, 1, 1, 1, 1, 0, 0],
      transformerDepthMiddle: 1,
      transformerDepthOutput: [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      contextDim: 768,
      linearInTransformer: false,
      heads: { count: 8 },
    });
    expect(latentFormat.scaleFactor).toBe(0.18215);
    expect(sampling).toMatchObject({ prediction: 'epsilon', sigmaData: 1 });
  });

  it('sizes SDXL', () => {
    const { family, unet, latentFormat } = recogniseKeys(sdxl);
    expect(family).toBe('sdxl');
    expect(unet).toMatchObject({
      residualBlocks: [2, 2, 2],
      channelMultipliers: [1, 2, 4],
      transformerDepth: [0, 0, 2, 2, 10, 10],
      transformerDepthMiddle: 10,
      transformerDepthOutput: [10, 10, 10, 2, 2, 2, 0, 0, 0],
      contextDim: 2048,
      admChannels: 2816,
      heads: { channels: 64 },
    });
    expect(latentFormat.scaleFactor).toBe(0.13025);
  });

  it.each([
    ['golden/manifests/sd15-tiny', 'sd1', 4],
    ['golden/manifests/sdxl-tiny', 'sdxl', 4],
    ['diffusion/sd15-inpaint', 'sd1', 9],
    ['diffusion/sd2', 'sd2', 4],
    ['diffusion/refiner', 'sdxl_refiner', 4],
    ['diffusion/koala', 'sdxl', 4],
  ] as const)('tells narrow models by their structure: %s', (manifest, family, channels) => {
    const parts = recogniseKeys(fixtureManifest(manifest));
    expect(parts.family).toBe(family);
    expect(parts.unet.inChannels).toBe(channels);
    expect(parts.sampling.prediction).toBe('epsilon');
  });

  it('keeps what is pruned out of the middle and the way up', () => {
    expect(recogniseKeys(fixtureManifest('diffusion/koala')).unet).toMatchObject({
      residualBlocks: [1, 1, 1],
      transformerDepth: [0, 1, 2],
      transformerDepthMiddle: -1,
      transformerDepthOutput: [3, 2, 2, 1, 0, 0],
    });
    const without = Object.fromEntries(
      Object.entries(fixtureManifest('diffusion/koala')).filter(([key]) => !key.includes('.middle_block.')),
    );
    expect(recogniseKeys(without).unet.transformerDepthMiddle).toBe(-2);
  });

  it('tells SD 2.x’s v-prediction by the spread of the last biases', () => {
    const path = syntheticCheckpoint('diffusion/sd2-v');
    expect(recognise(path).sampling.prediction).toBe('epsilon');
    const key = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
    const scaled = join(folder, 'sd2-v.safetensors');
    copyScaled(path, scaled, { [key]: 4 });
    expect(recognise(scaled).sampling.prediction).toBe('v_prediction');
  });

  it.each([
    [{}, 'epsilon', 14.6146],
    [{ v_pred: f32([0], []) }, 'v_prediction', 14.6146],
    [{ v_pred: f32([0], []), ztsnr: f32([0], []) }, 'v_prediction', 4518.76],
    [{ ztsnr: f32([0], []) }, 'epsilon', 14.6146],
    [{ 'edm_vpred.sigma_max': f32([], [120]) }, 'v_prediction', 120],
    [{ 'edm_vpred.sigma_max': f32([1], [80]), 'edm_vpred.sigma_min': f32([1], [0.01]) }, 'v_prediction', 80],
    [{ edm_mean: f32([1, 4, 1, 1], [0, 0, 0, 0]), edm_std: f32([1, 4, 1, 1], [1, 1, 1, 1]) }, 'edm', 80],
  ] as const)('tells SDXL’s kinds by their marks: %j', (marks, prediction, sigmaMax) => {
    const path = join(folder, 'marked.safetensors');
    writeSafetensors(path, { ...readTensors(syntheticCheckpoint('diffusion/koala')), ...marks });
    const { sampling, latentFormat } = recognise(path);
    expect(sampling.prediction).toBe(prediction);
    expect(sampling.levels.sigmaMax / sigmaMax).toBeCloseTo(1, 5);
    expect(sampling.sigmaData).toBe(prediction === 'edm' ? 0.5 : 1);
    expect(latentFormat.statistics === undefined).toBe(prediction !== 'edm');
  });

  it.each<[Manifest, RegExp]>([
    [
      { 'model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale': ['BF16', [128]] },
      /looks like Flux\./,
    ],
    [
      { 'model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight': ['F16', [8, 8]] },
      /Stable Diffusion 3/,
    ],
    [{ 'unet.down_blocks.0.resnets.0.conv1.weight': ['F16', [8, 8]] }, /diffusers' layout/],
    [{ 'lora_unet_mid_block.lora_up.weight': ['F16', [8, 8]] }, /a LoRA, which LoraLoader reads/],
    [{ 'decoder.conv_in.weight': ['F16', [8, 4, 3, 3]] }, /a VAE, which VAELoader reads/],
    [{ 'some.weight': ['F16', [8, 8]] }, /nothing known \(1 tensors: some\.weight/],
    [{}, /an empty file/],
  ])('says what else a file looks like: %j', (manifest, expected) => {
    const recognised = () => recogniseKeys(manifest);
    expect(recognised).toThrow(ModelError);
    expect(recognised).toThrow(expected);
    expect(recognised).toThrow(
      /model\.safetensors can't be loaded.*Supported are checkpoints of SD 1\.x, SD 2\.x, SDXL/,
    );
  });

  it('refuses relatives whose input is not a latent alone', () => {
    const wider = (channels: number): Manifest => ({
      ...fixtureManifest('diffusion/sd2'),
      'model.diffusion_model.input_blocks.0.0.weight': ['F16', [64, channels, 3, 3]],
    });
    expect(() => recogniseKeys(wider(8))).toThrow(/takes 8 channels/);
    expect(recogniseKeys(wider(9)).family).toBe('sd2');
    const unclip: Manifest = {
      ...wider(4),
      'model.diffusion_model.label_emb.0.0.weight': ['F16', [256, 2048]],
    };
    expect(() => recogniseKeys(unclip)).toThrow(/unCLIP/);
    const video: Manifest = {
      ...sdxl,
      'model.diffusion_model.input_blocks.4.1.time_stack.0.attn1.to_q.weight': ['F16', [4, 4]],
    };
    expect(() => recogniseKeys(video)).toThrow(/video model/);
  });

  it('names the layer whose shape cannot be', () => {
    const broken: Manifest = {
      ...fixtureManifest('golden/manifests/sd15-tiny'),
      'model.diffusion_model.input_blocks.1.0.out_layers.3.weight': ['F16', [32]],
    };
    expect(() => recogniseKeys(broken)).toThrow(
      /input_blocks\.1\.0\.out_layers\.3\.weight should have 4 axes/,
    );
  });
});
