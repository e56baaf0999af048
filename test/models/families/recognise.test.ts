import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recogniseCheckpoint } from '../../../src/models/families/recognise.js';
import { ModelError } from '../../../src/models/model-error.js';
import { openSafetensors } from '../../../src/models/safetensors.js';
import { safetensorsWeights } from '../../../src/models/safetensors-weights.js';
import type { Manifest } from '../../support/synthetic.js';
import { fixtureManifest, syntheticCheckpoint } from '../../support/golden.js';
import {
  copyScaled,
  f32,
  readTensors,
  writeHollowCheckpoint,
  writeSafetensors,
} from '../../support/models.js';

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
  it.each([
    ['golden/manifests/sd15-full', 'sd1', ['context']],
    ['golden/manifests/sd15-tiny', 'sd1', ['context']],
    ['golden/manifests/sdxl-full', 'sdxl', ['context', 'adm']],
    ['golden/manifests/sdxl-tiny', 'sdxl', ['context', 'adm']],
    ['diffusion/sd15-inpaint', 'sd1 inpainting', ['context', 'concat']],
    ['diffusion/sd2', 'sd2', ['context']],
    ['diffusion/refiner', 'sdxl_refiner', ['context', 'adm']],
    ['diffusion/koala', 'sdxl', ['context', 'adm']],
  ] as const)('tells models of any width by their structure: %s', (manifest, description, inputs) => {
    const { denoiser, ...model } = recogniseKeys(fixtureManifest(manifest));
    expect(model.description).toBe(description);
    expect(denoiser.inputs.map(({ name }) => name)).toEqual(inputs);
    expect(denoiser.sampling.prediction).toBe('epsilon');
    expect(denoiser.latentFormat.scaleFactor).toBe(description.startsWith('sdxl') ? 0.13025 : 0.18215);
  });

  it.each([
    ['golden/manifests/sd15-full', true, 512],
    ['diffusion/sd15-inpaint', false, 512],
    ['diffusion/sd2', true, 512],
    ['golden/manifests/sdxl-full', true, 1024],
    ['diffusion/refiner', false, 1024],
  ] as const)('says what a model draws: %s', (manifest, drawsFromText, trainedSide) => {
    expect(recogniseKeys(fixtureManifest(manifest))).toMatchObject({ drawsFromText, trainedSide });
  });

  it('tells SD 2.x’s v-prediction by the spread of the last biases', () => {
    const path = syntheticCheckpoint('diffusion/sd2-v');
    expect(recognise(path)).toMatchObject({ description: 'sd2', trainedSide: 512 });
    const key = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
    const scaled = join(folder, 'sd2-v.safetensors');
    copyScaled(path, scaled, { [key]: 4 });
    expect(recognise(scaled)).toMatchObject({ description: 'sd2 v_prediction', trainedSide: 768 });
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
    const { sampling, latentFormat } = recognise(path).denoiser;
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
    expect(recogniseKeys(wider(9)).description).toBe('sd2 inpainting');
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

  it('finds a denoiser under its own keys, and under those of other files', () => {
    const whole = fixtureManifest('golden/manifests/sd15-tiny');
    const prefix = 'model.diffusion_model.';
    const under = (other: string): Manifest =>
      Object.fromEntries(
        Object.entries(whole).flatMap(([key, entry]) =>
          key.startsWith(prefix) ? [[other + key.slice(prefix.length), entry]] : [],
        ),
      );
    for (const other of ['', 'model.', 'model.model.', 'net.', prefix]) {
      const { description, text, vae } = recogniseKeys(under(other));
      expect({ description, text: Object.keys(text.weights), vae }).toEqual({
        description: 'sd1',
        text: [],
        vae: undefined,
      });
    }
  });

  it('takes InstructPix2Pix models of SD 1.x and SDXL, and says what they draw from', () => {
    for (const [manifest, description] of [
      ['sd15-tiny', 'sd1 edit'],
      ['sdxl-tiny', 'sdxl edit'],
    ] as const) {
      const whole = fixtureManifest(`golden/manifests/${manifest}`);
      const key = 'model.diffusion_model.input_blocks.0.0.weight';
      const [dtype, [rows = 0]] = whole[key]!;
      expect(recogniseKeys({ ...whole, [key]: [dtype, [rows, 8, 3, 3]] })).toMatchObject({
        description,
        drawsFromText: false,
      });
    }
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
