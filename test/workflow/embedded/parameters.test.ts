import { describe, expect, test } from 'vitest';
import { readParameters } from '../../../src/workflow/embedded/parameters.js';
import { workflowOfParameters } from '../../../src/workflow/embedded/parameters-workflow.js';

const text = [
  'a cat <lora:fur:0.8> in a hat,',
  'Negative prompt: dog,',
  'blurry',
  'Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 18446744073709551615, Size: 640x512, Model hash: abc, Model: v1-5, Clip skip: 2, Lora hashes: "fur: 12, x: 3", Version: v1.7.0',
].join('\n');

const nodesOf = (parameters: string) =>
  Object.values(
    JSON.parse(workflowOfParameters(parameters)!.replaceAll(/\d{17,}/g, '"$&"')) as Record<
      string,
      { class_type: string; inputs: Record<string, unknown> }
    >,
  );
const inputsOf = (parameters: string, type: string) =>
  nodesOf(parameters)
    .filter((node) => node.class_type === type)
    .map(({ inputs }) => inputs);

describe("A1111's parameters", () => {
  test('are read by name, values in quotes too', () => {
    const read = readParameters(text)!;
    expect([read.prompt, read.negative]).toEqual(['a cat <lora:fur:0.8> in a hat,', 'dog,\nblurry']);
    expect(read.fields.get('lora hashes')).toBe('fur: 12, x: 3');
    expect(read.fields.get('version')).toBe('v1.7.0');
    expect(readParameters('just a prompt')).toBeUndefined();
  });

  test('become a workflow: checkpoint, LoRA, clip skip, both prompts, canvas, sampler', () => {
    expect(nodesOf(text).map(({ class_type: type }) => type)).toEqual([
      'CheckpointLoaderSimple',
      'LoraLoader',
      'CLIPSetLastLayer',
      'CLIPTextEncode',
      'CLIPTextEncode',
      'EmptyLatentImage',
      'KSampler',
      'VAEDecode',
      'SaveImage',
    ]);
    expect(inputsOf(text, 'KSampler')[0]).toMatchObject({
      seed: '18446744073709551615',
      steps: 28,
      cfg: 6.5,
      sampler_name: 'dpmpp_2m',
      scheduler: 'karras',
      denoise: 1,
    });
    expect(inputsOf(text, 'LoraLoader')[0]).toMatchObject({
      lora_name: 'fur.safetensors',
      strength_model: 0.8,
      strength_clip: 0.8,
    });
    expect(inputsOf(text, 'CLIPTextEncode').map((inputs) => inputs['text'])).toEqual([
      'a cat  in a hat,',
      'dog,\nblurry',
    ]);
    expect(inputsOf(text, 'EmptyLatentImage')[0]).toMatchObject({ width: 640, height: 512 });
    expect(inputsOf(text, 'CLIPSetLastLayer')[0]).toMatchObject({ stop_at_clip_layer: -2 });
  });

  test('hires fix is a second pass, by latents or by a model', () => {
    const hires = (upscaler: string) =>
      `cat\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, Seed: 1, Size: 512x512, Model: m, Denoising strength: 0.5, Hires upscale: 1.5, Hires steps: 10, Hires upscaler: ${upscaler}`;
    expect(inputsOf(hires('Latent (nearest-exact)'), 'LatentUpscale')[0]).toMatchObject({
      upscale_method: 'nearest-exact',
      width: 768,
      height: 768,
    });
    expect(
      inputsOf(hires('Latent'), 'KSampler').map(({ steps, denoise, sampler_name: name }) => [
        steps,
        denoise,
        name,
      ]),
    ).toEqual([
      [20, 1, 'euler_ancestral'],
      [10, 0.5, 'euler_ancestral'],
    ]);
    expect(inputsOf(hires('4x-UltraSharp'), 'UpscaleModelLoader')).toEqual([
      { model_name: '4x-UltraSharp.pth' },
    ]);
  });
});
