import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/models/model-error.js';
import { recogniseKeys } from '../../support/families.js';
import { fixtureManifest } from '../../support/golden.js';
import type { Manifest } from '../../support/synthetic.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-families-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

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
    const { denoiser, ...model } = recogniseKeys(folder, fixtureManifest(manifest));
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
    expect(recogniseKeys(folder, fixtureManifest(manifest))).toMatchObject({ drawsFromText, trainedSide });
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
    const recognised = () => recogniseKeys(folder, manifest);
    expect(recognised).toThrow(ModelError);
    expect(recognised).toThrow(expected);
    expect(recognised).toThrow(
      /model\.safetensors can't be loaded.*Supported are checkpoints of SD 1\.x, SD 2\.x, SD 2\.1 unCLIP, SDXL/,
    );
  });

  it('refuses relatives whose input is not a latent alone', () => {
    const wider = (channels: number): Manifest => ({
      ...fixtureManifest('diffusion/sd2'),
      'model.diffusion_model.input_blocks.0.0.weight': ['F16', [64, channels, 3, 3]],
    });
    expect(() => recogniseKeys(folder, wider(8))).toThrow(/takes 8 channels/);
    expect(recogniseKeys(folder, wider(9)).description).toBe('sd2 inpainting');
    const unclip: Manifest = {
      ...wider(4),
      'model.diffusion_model.label_emb.0.0.weight': ['F16', [256, 2048]],
    };
    expect(recogniseKeys(folder, unclip).description).toBe('sd2 unclip');
    const video: Manifest = {
      ...sdxl,
      'model.diffusion_model.input_blocks.4.1.time_stack.0.attn1.to_q.weight': ['F16', [4, 4]],
    };
    expect(() => recogniseKeys(folder, video)).toThrow(/video model/);
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
      const { description, text, vae } = recogniseKeys(folder, under(other));
      expect({ description, text: Object.keys(text?.weights ?? {}), vae }).toEqual({
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
      expect(recogniseKeys(folder, { ...whole, [key]: [dtype, [rows, 8, 3, 3]] })).toMatchObject({
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
    expect(() => recogniseKeys(folder, broken)).toThrow(
      /input_blocks\.1\.0\.out_layers\.3\.weight should have 4 axes/,
    );
  });
});
