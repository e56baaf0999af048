import { describe, expect, test } from 'vitest';
import { controlUnits } from '../../../src/fronts/a1111/controlnet.js';
import { img2img } from '../../../src/fronts/a1111/img2img.js';
import { DEFAULT_OPTIONS } from '../../../src/fronts/a1111/options.js';
import { img2imgRequest, txt2imgRequest } from '../../../src/fronts/a1111/request.js';
import { SAMPLERS, samplingOf, SCHEDULERS } from '../../../src/fronts/a1111/samplers.js';
import { stepsOfStrength } from '../../../src/fronts/a1111/sampling-nodes.js';
import { txt2img } from '../../../src/fronts/a1111/txt2img.js';
import { schedulerNames } from '../../../src/native/addon.js';
import { samplerNames } from '../../../src/native/samplers.js';

type Nodes = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

const place = {
  listing: {
    list: (kind: string) =>
      ({ loras: ['pixel.safetensors'], upscale_models: ['4x-Sharp.pth'] })[kind] ?? ([] as string[]),
  },
  options: DEFAULT_OPTIONS,
  checkpoint: 'model.safetensors',
  controls: [],
  random: () => 0.5,
};

function nodesOf(workflow: string, classType: string) {
  const nodes = Object.values(JSON.parse(workflow) as Nodes);
  return nodes.filter((node) => node.class_type === classType).map(({ inputs }) => inputs);
}

function draw(body: object) {
  return txt2img(txt2imgRequest.parse(body), place);
}

describe('samplers', () => {
  test('all of them run here', () => {
    const spacings = [
      ...SAMPLERS.map(({ spacing }) => spacing),
      ...SCHEDULERS.map(({ scheduler }) => scheduler),
    ];
    expect(SAMPLERS.filter(({ sampler }) => !samplerNames.includes(sampler))).toEqual([]);
    expect(
      spacings.filter((each) => each !== undefined && !schedulerNames.some((name) => name === each)),
    ).toEqual([]);
  });

  test.each([
    ['Euler a', null, 'euler_ancestral', 'normal', 'Automatic'],
    ['DPM++ 2M', 'Automatic', 'dpmpp_2m', 'karras', 'Automatic'],
    ['DPM++ 2M Karras', null, 'dpmpp_2m', 'karras', 'Automatic'],
    ['DPM++ 2M SDE Exponential', null, 'dpmpp_2m_sde', 'exponential', 'Automatic'],
    ['Euler', 'Karras', 'euler', 'karras', 'Karras'],
    ['Euler', 'sgm_uniform', 'euler', 'sgm_uniform', 'SGM Uniform'],
    ['k_euler_a', null, 'euler_ancestral', 'normal', 'Automatic'],
    ['DDIM', null, 'ddim', 'ddim_uniform', 'Automatic'],
    ['Euler', 'Align Your Steps', 'euler', undefined, 'Align Your Steps'],
    [null, null, 'dpmpp_2m', 'karras', 'Automatic'],
  ])('%s with %s', (name, scheduler, sampler, spacing, label) => {
    expect(samplingOf(name, scheduler)).toMatchObject({ sampler, scheduler: spacing, scheduleLabel: label });
  });

  test('one that is not there is refused with the nearest', () => {
    expect(() => samplingOf('Eular', null)).toThrow(/Sampler not found: "Eular".*Euler/);
  });
});

describe('txt2img', () => {
  test('takes what is left out from A1111', () => {
    const { workflow, series, seeds, fields } = draw({ prompt: 'a knight' });
    expect(nodesOf(workflow, 'KSampler')).toMatchObject([
      { seed: 2147483647, steps: 50, cfg: 7, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
    ]);
    expect(nodesOf(workflow, 'EmptyLatentImage')).toEqual([{ width: 512, height: 512, batch_size: 1 }]);
    expect([series, seeds, fields['Size']]).toEqual([undefined, [2147483647], '512x512']);
    expect(nodesOf(workflow, 'PreviewImage')).toHaveLength(1);
  });

  test('pictures of a batch have consecutive seeds', () => {
    const { series, seeds } = draw({ seed: 7, batch_size: 2, n_iter: 2 });
    expect(series).toEqual({ count: 4, varying: [{ node: expect.any(String) as string, input: 'seed' }] });
    expect(seeds).toEqual([7, 8, 9, 10]);
  });

  test('LoRAs, prompts beside each other, chunks, clip skip', () => {
    const { workflow } = draw({
      prompt: 'a BREAK b <lora:pixel:0.6> AND c:0.5',
      negative_prompt: '[x]',
      cfg_scale: 6,
      override_settings: {},
    });
    expect(nodesOf(workflow, 'LoraLoader')).toMatchObject([{ strength_model: 0.6, strength_clip: 0.6 }]);
    expect(nodesOf(workflow, 'CLIPTextEncode').map(({ text }) => text)).toEqual([
      'a',
      'b',
      ' c',
      '(x:0.909090909)',
    ]);
    expect(nodesOf(workflow, 'ConditioningConcat')).toHaveLength(1);
    expect(nodesOf(workflow, 'ConditioningCombine')).toHaveLength(1);
    expect(nodesOf(workflow, 'ConditioningSetAreaStrength')).toMatchObject([{ strength: 0.5 }]);
    expect(nodesOf(workflow, 'KSampler')).toMatchObject([{ cfg: 9 }]);
  });

  test('clip skip is an option', () => {
    const options = { ...DEFAULT_OPTIONS, CLIP_stop_at_last_layers: 2 };
    const { workflow, fields } = txt2img(txt2imgRequest.parse({}), { ...place, options });
    expect(nodesOf(workflow, 'CLIPSetLastLayer')).toMatchObject([{ stop_at_clip_layer: -2 }]);
    expect(fields['Clip skip']).toBe(2);
  });

  test.each([
    [{ hr_scale: 1.5 }, { width: 384, height: 192 }, undefined],
    [{ hr_resize_x: 512 }, { width: 512, height: 256 }, undefined],
    [
      { hr_resize_x: 512, hr_resize_y: 512 },
      { width: 1024, height: 512 },
      { width: 512, height: 512, x: 256, y: 0 },
    ],
  ])('the hires pass of %j', (more, larger, cut) => {
    const request = {
      enable_hr: true,
      width: 256,
      height: 128,
      steps: 20,
      denoising_strength: 0.5,
      seed: 1,
      ...more,
    };
    const { workflow, passes, fields } = draw(request);
    expect(nodesOf(workflow, 'LatentUpscale')).toMatchObject([{ upscale_method: 'bilinear', ...larger }]);
    expect(nodesOf(workflow, 'LatentCrop').map(({ samples, ...rest }) => [typeof samples, rest])).toEqual(
      cut === undefined ? [] : [['object', cut]],
    );
    expect(nodesOf(workflow, 'KSamplerAdvanced')).toMatchObject([
      { noise_seed: 1, steps: 40, start_at_step: 20, add_noise: 'enable' },
    ]);
    expect([passes, fields['Denoising strength']]).toEqual([2, 0.5]);
  });

  test('the hires pass with a network', () => {
    const { workflow } = draw({ enable_hr: true, hr_upscaler: '4x-Sharp', hr_second_pass_steps: 5 });
    expect(nodesOf(workflow, 'UpscaleModelLoader')).toEqual([{ model_name: '4x-Sharp.pth' }]);
    expect(nodesOf(workflow, 'ImageScale')).toMatchObject([
      { width: 1024, height: 1024, upscale_method: 'lanczos' },
    ]);
    expect(nodesOf(workflow, 'KSamplerAdvanced')).toMatchObject([{ steps: 6, start_at_step: 1 }]);
  });

  test('ControlNet units, in both passes', () => {
    const controls = controlUnits(
      {
        controlnet: {
          args: [
            {
              image: 'base64',
              model: 'canny [0123abcd]',
              weight: 0.5,
              guidance_start: 0.25,
              guidance_end: 0.5,
            },
            { enabled: false, model: 'gone' },
          ],
        },
      },
      { list: () => ['canny.safetensors'] },
    ).map((unit) => ({ ...unit, image: 'hint.png [temp]' }));
    expect(controls).toMatchObject([{ model: 'canny.safetensors', fit: 'crop', picture: 'base64' }]);
    const request = { enable_hr: true, steps: 9, hr_second_pass_steps: 8, denoising_strength: 0.999 };
    const { workflow } = txt2img(txt2imgRequest.parse(request), { ...place, controls });
    expect(nodesOf(workflow, 'ControlNetApplyAdvanced')).toMatchObject([
      // From the fourth of nine steps to the fifth: between the second and third of eight gaps, and after the fourth.
      { strength: 0.5, start_percent: 0.3125, end_percent: 0.5625 },
      { strength: 0.5 },
    ]);
    expect(nodesOf(workflow, 'A1111PrepareImage').map(({ width }) => width)).toEqual([512, 1024]);
  });

  test.each([
    [{ sampler_name: 'x' }, /Sampler not found/],
    [{ script_name: 'X/Y/Z plot' }, /Script 'X\/Y\/Z plot' not found/],
    [{ alwayson_scripts: { ADetailer: { args: [{}] } } }, /always on script ADetailer not found/],
    [{ subseed_strength: 0.5 }, /subseed_strength/],
    [{ tiling: true }, /tiling/],
    [{ enable_hr: true, hr_upscaler: 'x' }, /could not find upscaler named "x"/],
  ])('%j is refused', (body, message) => {
    expect(() => draw(body)).toThrow(message);
  });
});

describe('img2img', () => {
  // modules/sd_samplers_common.py, setup_img2img_steps.
  test.each([
    [20, 0.75, false, { total: 20, first: 4 }],
    [20, 1, false, { total: 20, first: 0 }],
    [20, 0, false, { total: 20, first: 19 }],
    [20, 0.5, true, { total: 40, first: 20 }],
    [20, 1, true, { total: 20, first: 0 }],
  ])('%i steps at strength %d, all of them %s', (steps, strength, all, expected) => {
    expect(stepsOfStrength(steps, strength, all)).toEqual(expected);
  });

  test('a mask limits what is drawn, and the picture stays around it', () => {
    const body = { init_images: [''], mask: '', steps: 10, inpainting_fill: 2, mask_blur: 3, resize_mode: 1 };
    const given = { images: ['a.png [temp]'], mask: 'm.png [temp]' };
    const { workflow } = img2img(img2imgRequest.parse(body), given, place);
    expect(nodesOf(workflow, 'A1111PrepareImage')).toMatchObject([
      { resize_mode: 'crop', mask_blur_x: 3, mask_blur_y: 3, fill: true, only_masked: true, invert: false },
    ]);
    for (const needed of ['InpaintModelConditioning', 'SetLatentNoiseMask', 'AddNoise', 'A1111PasteImage']) {
      expect(nodesOf(workflow, needed)).toHaveLength(1);
    }
    expect(nodesOf(workflow, 'KSamplerAdvanced')).toMatchObject([{ steps: 10, start_at_step: 2 }]);
  });
});
