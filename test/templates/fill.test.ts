import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SHIPPED_GRAPHS } from '../../src/config/settings.js';
import { fillWorkflow, TemplateError, type TemplateValues } from '../../src/templates/fill.js';
import type { Literal } from '../../src/workflow/literal.js';
import { parseWorkflow, workflowFromObject, type Workflow } from '../../src/workflow/parse.js';

const shipped = (name: string) => parseWorkflow(readFileSync(join(SHIPPED_GRAPHS, `${name}.json`), 'utf8'));

const inputs = (workflow: Workflow, id: string): Record<string, Literal> =>
  Object.fromEntries(workflow.nodes.get(id)!.inputs);

const values: TemplateValues = {
  prompt: 'a frog',
  model: 'own.safetensors',
  width: 64,
  height: 128,
  steps: 5,
  cfg: 3.5,
  seed: 2n ** 64n - 1n,
  samplerName: 'heun',
  scheduler: 'karras',
  denoise: 0.5,
};

describe('the shipped templates', () => {
  test('take every value to the nodes that sample', () => {
    const filled = fillWorkflow(shipped('sprite_optimized'), { ...values, negativePrompt: 'mud' });
    expect(inputs(filled, '1')['ckpt_name']).toBe('own.safetensors');
    expect(inputs(filled, '2')['text']).toMatch(/\ba frog\b/);
    expect(inputs(filled, '3')['text']).toBe('mud');
    expect(inputs(filled, '4')).toMatchObject({ width: 64n, height: 128n, batch_size: 1n });
    expect(inputs(filled, '5')).toMatchObject({
      seed: 2n ** 64n - 1n,
      steps: 5n,
      cfg: 3.5,
      sampler_name: 'heun',
      scheduler: 'karras',
      denoise: 0.5,
    });
  });

  test('keep what is not given, and say in pictures what was', () => {
    const before = shipped('sprite_optimized');
    const filled = fillWorkflow(before, { prompt: 'a frog', steps: 9 });
    expect(inputs(filled, '3')).toEqual(inputs(before, '3'));
    expect(inputs(filled, '5')).toEqual({ ...inputs(before, '5'), steps: 9n });
    expect(filled.nodes.get('5')!.source.get('inputs')).toEqual(filled.nodes.get('5')!.inputs);
  });

  test('scale the picture that they begin with', () => {
    const filled = fillWorkflow(shipped('image_to_image'), values);
    expect(inputs(filled, '5')).toMatchObject({ width: 64n, height: 128n });
  });

  test('are run once an image', () => {
    const filled = fillWorkflow(shipped('batch'), { ...values, batchSize: 1, batchIndex: 3 });
    expect(inputs(filled, '4')['batch_size']).toBe(1n);
    expect(inputs(filled, '7')['filename_prefix']).toBe('batch_3');
  });
});

describe('a LoRA', () => {
  test('is named where the template has a node for it', () => {
    const filled = fillWorkflow(shipped('pixel_art_lora'), { lora: 'l.safetensors', loraStrength: 0.4 });
    expect(inputs(filled, '2')).toMatchObject({
      lora_name: 'l.safetensors',
      strength_model: 0.4,
      strength_clip: 0.4,
    });
    expect(filled.nodes.size).toBe(shipped('pixel_art_lora').nodes.size);
  });

  test('gets a node where it has none', () => {
    const filled = fillWorkflow(shipped('tileset'), { ...values, lora: 'l.safetensors' });
    const id = String(shipped('tileset').nodes.size + 1);
    expect(filled.nodes.get(id)).toMatchObject({ classType: 'LoraLoader' });
    expect(inputs(filled, id)).toMatchObject({
      lora_name: 'l.safetensors',
      strength_model: 1,
      model: ['1', 0n],
      clip: ['1', 1n],
    });
    expect(inputs(filled, '2')['clip']).toEqual([id, 1n]);
    expect(inputs(filled, '5')['model']).toEqual([id, 0n]);
    // The VAE is none of its business.
    expect(inputs(filled, '6')['vae']).toEqual(['1', 2n]);
  });
});

const node = (class_type: string, given: object, title?: string) => ({
  class_type,
  inputs: given,
  ...(title !== undefined && { _meta: { title } }),
});
const loader = node('CheckpointLoaderSimple', { ckpt_name: 'x' });
const text = (value: string, title?: string) =>
  node('CLIPTextEncode', { text: value, clip: ['1', 1] }, title);
const canvas = node('EmptyLatentImage', { width: 512, height: 512, batch_size: 1 });

describe('other workflows', () => {
  test('with a second pass keep the size of that pass', () => {
    const sampler = (latent: string) =>
      node('KSampler', {
        seed: 0,
        steps: 20,
        cfg: 8,
        denoise: 1,
        model: ['1', 0],
        positive: ['2', 0],
        negative: ['3', 0],
        latent_image: [latent, 0],
      });
    const workflow = workflowFromObject({
      1: loader,
      2: text('good'),
      3: text('bad'),
      4: canvas,
      5: sampler('4'),
      6: node('LatentUpscale', { samples: ['5', 0], width: 1024, height: 1024 }),
      7: sampler('6'),
    });
    const filled = fillWorkflow(workflow, { prompt: 'a frog', width: 64, height: 64, seed: 7n, steps: 3 });
    expect(inputs(filled, '4')).toMatchObject({ width: 64n, height: 64n });
    expect(inputs(filled, '6')).toMatchObject({ width: 1024n, height: 1024n });
    for (const id of ['5', '7']) expect(inputs(filled, id)).toMatchObject({ seed: 7n, steps: 3n });
    expect(inputs(filled, '2')['text']).toBe('a frog');
    expect(inputs(filled, '3')['text']).toBe('bad');
  });

  test('with a custom sampler have their settings in nodes around it', () => {
    const workflow = workflowFromObject({
      1: loader,
      2: text('good'),
      3: text('bad'),
      4: canvas,
      5: node('RandomNoise', { noise_seed: 0 }),
      6: node('KSamplerSelect', { sampler_name: 'euler' }),
      7: node('BasicScheduler', { model: ['1', 0], scheduler: 'normal', steps: 20, denoise: 1 }),
      8: node('CFGGuider', { model: ['1', 0], positive: ['2', 0], negative: ['3', 0], cfg: 8 }),
      9: node('SamplerCustomAdvanced', {
        noise: ['5', 0],
        guider: ['8', 0],
        sampler: ['6', 0],
        sigmas: ['7', 0],
        latent_image: ['4', 0],
      }),
    });
    const filled = fillWorkflow(workflow, { ...values, negativePrompt: 'mud', lora: 'l.safetensors' });
    expect(inputs(filled, '5')['noise_seed']).toBe(2n ** 64n - 1n);
    expect(inputs(filled, '6')['sampler_name']).toBe('heun');
    expect(inputs(filled, '7')).toMatchObject({ scheduler: 'karras', steps: 5n, denoise: 0.5 });
    expect(inputs(filled, '8')).toMatchObject({ cfg: 3.5, model: ['10', 0n] });
    expect(inputs(filled, '4')).toMatchObject({ width: 64n, height: 128n });
    expect([inputs(filled, '2')['text'], inputs(filled, '3')['text']]).toEqual(['a frog', 'mud']);
  });

  test('whose prompts mix tell them apart by title, and behind ControlNets', () => {
    const workflow = workflowFromObject({
      1: loader,
      2: text('one', 'Positive Prompt'),
      3: text('two', ' negative prompt '),
      4: node('ConditioningCombine', { conditioning_1: ['2', 0], conditioning_2: ['3', 0] }),
      5: node('ControlNetApplyAdvanced', { positive: ['4', 0], negative: ['4', 0], strength: 1 }),
      6: canvas,
      7: node('KSampler', {
        cfg: 1,
        model: ['1', 0],
        positive: ['5', 0],
        negative: ['5', 1],
        latent_image: ['6', 0],
      }),
    });
    const filled = fillWorkflow(workflow, { prompt: 'a frog', negativePrompt: 'mud' });
    expect([inputs(filled, '2')['text'], inputs(filled, '3')['text']]).toEqual(['a frog', 'mud']);
  });

  test('leave linked inputs alone', () => {
    const workflow = workflowFromObject({
      1: loader,
      2: node('CLIPTextEncode', { text: ['3', 0], clip: ['1', 1] }),
      3: node('PrimitiveString', { value: 'linked' }),
      4: canvas,
      5: node('KSampler', { seed: ['6', 0], steps: 4, positive: ['2', 0], latent_image: ['4', 0] }),
      6: node('Seed', { seed: 3 }),
    });
    const filled = fillWorkflow(workflow, { prompt: 'a frog', seed: 9n });
    expect(inputs(filled, '2')['text']).toEqual(['3', 0n]);
    expect(inputs(filled, '5')['seed']).toEqual(['6', 0n]);
    expect(inputs(filled, '6')['seed']).toBe(3n);
  });

  test.each([
    ['model', { model: 'm.safetensors' }],
    ['LoRA', { lora: 'l.safetensors' }],
  ])('without a checkpoint have no place for a %s', (_, given) => {
    const workflow = workflowFromObject({ 1: node('EmptyImage', { width: 8 }) });
    expect(() => fillWorkflow(workflow, given)).toThrow(TemplateError);
  });
});
