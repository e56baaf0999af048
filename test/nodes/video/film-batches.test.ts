import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { createEngine } from '../../../src/index.js';
import { defineNode, link } from '../../../src/nodes/definition.js';
import { selectedRows } from '../../../src/nodes/video/row-selection.js';
import { relativeRms, tinyCheckpoint } from '../../support/golden.js';

describe('rows by a text', () => {
  it.each([
    ['', []],
    ['0, -1', [0, 4]],
    ['3:0', []],
    ['-9:2, 9:', [0, 1]],
    ['::-2', [4, 2, 0]],
  ])('%j', (text, rows) => {
    expect(selectedRows(text, 5, true)).toEqual(rows);
  });

  it('that the batch lacks are refused, or left out', () => {
    expect(() => selectedRows('1, 5', 5, true)).toThrow('there is no image 5 in a batch of 5');
    expect(() => selectedRows('-6', 5, true)).toThrow('there is no image -6 in a batch of 5');
    expect(selectedRows('1, 5, -6', 5, false)).toEqual([1]);
    expect(() => selectedRows('1; 2', 5, true)).toThrow('"1; 2" is no whole number');
    expect(() => selectedRows('::0', 5, true)).toThrow("the step can't be 0");
  });
});

const models = mkdtempSync(join(tmpdir(), 'latentd-film-batches-'));
mkdirSync(join(models, 'checkpoints'));
symlinkSync(tinyCheckpoint('sd15'), join(models, 'checkpoints/tiny.safetensors'));
const frames = tensor([5, 32, 40, 3]);
frames.data.forEach((_, index) => {
  frames.data[index] = ((index * 7919) % 256) / 255;
});
const seen: Tensor[] = [];
const described = { displayName: '', category: 'test', description: '', optional: {} };
const given = defineNode({
  ...described,
  name: 'Given',
  required: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  run: () => ({ outputs: [frames] }),
});
const keep = defineNode({
  ...described,
  name: 'Keep',
  required: { latent: link('LATENT'), image: link('IMAGE') },
  outputs: [],
  outputNode: true,
  run: ({ latent, image }) => {
    seen.push(latent.samples, image);
    return { outputs: [] };
  },
});
const engine = createEngine({ folders: { models }, nodes: [given, keep] });
afterAll(async () => {
  await engine.dispose();
  rmSync(models, { recursive: true });
});

it('films go through a VAE some frames at a time as they do at once', async () => {
  const through = async (batched: boolean) => {
    const [encode, decode] = batched
      ? ['VHS_VAEEncodeBatched', 'VHS_VAEDecodeBatched']
      : ['VAEEncode', 'VAEDecode'];
    const result = await engine.run({
      1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny.safetensors' } },
      2: { class_type: 'Given', inputs: {} },
      3: { class_type: encode, inputs: { pixels: ['2', 0], vae: ['1', 2], per_batch: 2 } },
      4: { class_type: decode, inputs: { samples: ['3', 0], vae: ['1', 2], per_batch: 3 } },
      5: { class_type: 'Keep', inputs: { latent: ['3', 0], image: ['4', 0] } },
    });
    expect(result.status).toBe('success');
  };
  await through(true);
  await through(false);
  const [latents, images, allLatents, allImages] = seen as [Tensor, Tensor, Tensor, Tensor];
  expect(latents.shape).toEqual(allLatents.shape);
  expect(relativeRms(latents, allLatents)).toBeLessThan(1e-5);
  expect(images.shape).toEqual([5, 32, 40, 3]);
  expect(relativeRms(images, allImages)).toBeLessThan(1e-5);
});
