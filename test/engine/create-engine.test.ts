import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/compute/tensor.js';
import { createEngine, type Engine, type RunEvent } from '../../src/index.js';
import type { Conditioning, Latent } from '../../src/nodes/values.js';
import { defineNode, link, string, type AnyNodeClass } from '../../src/nodes/definition.js';
import { goldenTensors, maxDifference, relativeRms, tinyCheckpoint } from '../support/golden.js';
import { node, ranResult } from './workshop.js';

const golden = goldenTensors('golden/sd15-tiny.golden.safetensors');
const prompts = {
  positive: 'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels',
  weighted: '(masterpiece:1.2), ((best quality)), [deemphasised], (nested (twice:1.5):0.8)',
};

const kept = new Map<string, unknown>();
const described = { displayName: '', category: 'test', description: '' };

/** A latent or an image of the reference's, by name. */
const given = defineNode({
  ...described,
  name: 'Given',
  required: { name: string() },
  optional: {},
  outputs: [
    { type: 'LATENT', name: 'LATENT' },
    { type: 'IMAGE', name: 'IMAGE' },
  ],
  run: ({ name }) => ({ outputs: [{ samples: golden(name) }, golden(name)] }),
});

const keep = defineNode({
  ...described,
  name: 'Keep',
  required: {},
  optional: { conditioning: link('CONDITIONING'), latent: link('LATENT'), image: link('IMAGE') },
  outputs: [],
  outputNode: true,
  run: ({ conditioning, latent, image }, { nodeId }) => {
    kept.set(nodeId, conditioning ?? latent ?? image);
    return { outputs: [] };
  },
});

const nodes: readonly AnyNodeClass[] = [given, keep];
let engine: Engine;
let models: string;

beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), 'latentd-models-'));
  mkdirSync(join(models, 'checkpoints'));
  symlinkSync(tinyCheckpoint('sd15'), join(models, 'checkpoints', 'sd15-tiny.safetensors'));
  engine = createEngine({ folders: { models }, nodes });
});
afterAll(async () => {
  await engine.dispose();
  rmSync(models, { recursive: true });
});

const loader = node('CheckpointLoaderSimple', { ckpt_name: 'sd15-tiny.safetensors' });
const parts = (text = prompts.positive) => ({
  1: loader,
  2: node('CLIPTextEncode', { clip: ['1', 1], text }),
  3: node('Given', { name: 'vae.z' }),
  4: node('VAEDecode', { samples: ['3', 0], vae: ['1', 2] }),
  5: node('Given', { name: 'vae.image' }),
  6: node('VAEEncode', { pixels: ['5', 1], vae: ['1', 2] }),
  text: node('Keep', { conditioning: ['2', 0] }),
  image: node('Keep', { image: ['4', 0] }),
  latent: node('Keep', { latent: ['6', 0] }),
});

async function timed(workflow: object): Promise<readonly string[]> {
  const result = ranResult(await engine.run(workflow));
  if (result.status !== 'success') throw new Error(JSON.stringify(result));
  return result.timings.map((timing) => timing.node);
}

describe('an engine with the tiny checkpoint', () => {
  it('gives the tensors that ComfyUI gives', async () => {
    await timed(parts());
    const [entry] = kept.get('text') as Conditioning;
    expect(relativeRms(entry!.cond, golden('clip.0.cond'))).toBeLessThan(2e-5);
    expect(relativeRms(entry!.pooled!, golden('clip.0.pooled'))).toBeLessThan(2e-5);
    expect(maxDifference(kept.get('image') as Tensor, golden('vae.decoded'))).toBeLessThan(1 / 255);
    expect(relativeRms((kept.get('latent') as Latent).samples, golden('vae.encoded'))).toBeLessThan(2e-5);
  });

  it('repeats no load and no encode that an earlier run has made', async () => {
    expect(await timed(parts())).toEqual([]);
    expect(await timed(parts(prompts.weighted))).toEqual(['2', 'text']);
    const [entry] = kept.get('text') as Conditioning;
    expect(relativeRms(entry!.cond, golden('clip.1.cond'))).toBeLessThan(2e-5);
  });

  it('tells what a text encoder warns of, by the node that uses it', async () => {
    const events: RunEvent[] = [];
    await engine.run(parts('embedding:nowhere, a cat'), { onEvent: (event) => events.push(event) });
    expect(events.filter((event) => event.type === 'warning')).toMatchObject([
      { node: '2', class_type: 'CLIPTextEncode', text: expect.stringContaining('nowhere') as string },
    ]);
  });
});

describe('an engine and what it is asked for', () => {
  it('names the nearest checkpoints and classes', () => {
    const report = engine.validate({
      1: node('CheckpointLoaderSimple', { ckpt_name: 'sd15-tinny.safetensors' }),
      2: node('CLIPTextEncod', { clip: ['1', 1], text: '' }),
      3: node('Keep', { conditioning: ['2', 0] }),
    });
    expect(report?.node_errors).toMatchObject({
      1: {
        errors: [
          {
            type: 'value_not_in_list',
            details: `ckpt_name: 'sd15-tinny.safetensors' not in ['sd15-tiny.safetensors']; nearest: "sd15-tiny.safetensors"`,
          },
        ],
      },
      2: {
        errors: [{ type: 'missing_node_type', details: expect.stringContaining('CLIPTextEncode') as string }],
      },
    });
  });

  it('describes every class in plain JSON', () => {
    const info = engine.objectInfo();
    expect(JSON.parse(JSON.stringify(info))).toEqual(info);
    expect(info['CheckpointLoaderSimple']).toMatchObject({
      input: { required: { ckpt_name: [['sd15-tiny.safetensors'], {}] } },
      output: ['MODEL', 'CLIP', 'VAE'],
      category: 'model/loaders',
    });
  });

  it('draws the noise that a run asks for, and samples again only where that counts', async () => {
    const sampled = (sampler_name: string) => ({
      1: loader,
      2: node('CLIPTextEncode', { clip: ['1', 1], text: 'a castle' }),
      3: node('EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }),
      4: node('KSampler', {
        model: ['1', 0],
        positive: ['2', 0],
        negative: ['2', 0],
        latent_image: ['3', 0],
        seed: 3,
        steps: 5,
        cfg: 1,
        sampler_name,
        scheduler: 'normal',
        denoise: 1,
      }),
      latent: node('Keep', { latent: ['4', 0] }),
    });
    const draw = async (workflow: object, noise: 'cpu' | 'gpu') => {
      const result = ranResult(await engine.run(workflow, { noise }));
      if (result.status !== 'success') throw new Error(JSON.stringify(result));
      return {
        ran: result.timings.map((timing) => timing.node),
        latent: (kept.get('latent') as Latent).samples,
      };
    };
    const ancestral = sampled('euler_ancestral');
    const onCpu = await draw(ancestral, 'cpu');
    const onGpu = await draw(ancestral, 'gpu');
    expect(onGpu.ran).toEqual(['4', 'latent']);
    expect(relativeRms(onGpu.latent, onCpu.latent)).toBeGreaterThan(0.1);
    expect((await draw(ancestral, 'gpu')).ran).toEqual([]);
    // The noise that sampling starts from is drawn on the CPU everywhere.
    const euler = sampled('euler');
    expect((await draw(euler, 'gpu')).latent.data).toEqual((await draw(euler, 'cpu')).latent.data);
  });
});
