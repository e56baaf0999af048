import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Tensor } from '../../src/compute/tensor.js';
import { defineNode, link } from '../../src/nodes/definition.js';
import { goldenTensors, maxDifference, relativeRms } from '../support/golden.js';
import { openTinyEngine, type TinyEngine } from './tiny-engine.js';
import { node, ranResult } from './workshop.js';

const golden = goldenTensors('vae/tiny.safetensors');
const kept: { latent?: Tensor; image?: Tensor } = {};

const given = defineNode({
  name: 'Given',
  displayName: '',
  category: 'test',
  description: '',
  required: {},
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: () => ({ outputs: [golden('workflow.image')] }),
});

const keep = defineNode({
  name: 'Keep',
  displayName: '',
  category: 'test',
  description: '',
  required: { latent: link('LATENT'), image: link('IMAGE') },
  optional: {},
  outputs: [],
  outputNode: true,
  run({ latent, image }) {
    kept.latent = latent.samples;
    kept.image = image;
    return { outputs: [] };
  },
});

let tiny: TinyEngine;
beforeAll(() => {
  tiny = openTinyEngine((backend) => backend, [given, keep]);
});
afterAll(() => tiny.close());

/** The workflow of tools/reference/tiny_vae.py. */
function workflow(vae: string) {
  return {
    1: node('CheckpointLoaderSimple', { ckpt_name: 'sd15.safetensors' }),
    2: node('VAELoader', { vae_name: vae }),
    3: node('CLIPTextEncode', { clip: ['1', 1], text: 'a small castle' }),
    4: node('CLIPTextEncode', { clip: ['1', 1], text: '' }),
    5: node('Given', {}),
    6: node('VAEEncode', { pixels: ['5', 0], vae: ['2', 0] }),
    7: node('KSampler', {
      model: ['1', 0],
      positive: ['3', 0],
      negative: ['4', 0],
      latent_image: ['6', 0],
      seed: 7,
      steps: 4,
      cfg: 5,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 0.8,
    }),
    8: node('VAEDecode', { samples: ['7', 0], vae: ['2', 0] }),
    9: node('Keep', { latent: ['7', 0], image: ['8', 0] }),
  };
}

it('a whole workflow with taesd gives ComfyUI’s picture', async () => {
  ranResult(await tiny.engine.run(workflow('taesd')));
  expect(relativeRms(kept.latent!, golden('workflow.sampled'))).toBeLessThan(2e-5);
  expect(maxDifference(kept.image!, golden('workflow.decoded'))).toBeLessThan(1 / 255);
});

it('one that isn’t there is not among the names that the fault lists', () => {
  const report = tiny.engine.validate(workflow('taesd3'));
  const [fault] = report!.node_errors['2']!.errors;
  expect(fault).toMatchObject({ type: 'value_not_in_list' });
  expect(fault!.details).toMatch(/vae_name: 'taesd3' not in \['taesd', 'taesdxl', 'taef1'\]/);
});
