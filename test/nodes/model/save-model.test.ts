import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/compute/tensor.js';
import { createEngine } from '../../../src/engine/create-engine.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { defineNode, link } from '../../../src/nodes/definition.js';
import { fixture, relativeRms, tinyCheckpoint } from '../../support/golden.js';

/** What is saved lies where models do. */
const models = mkdtempSync(join(tmpdir(), 'latentd-saved-models-'));
for (const folder of ['checkpoints', 'loras']) mkdirSync(join(models, folder));
symlinkSync(tinyCheckpoint('sd15'), join(models, 'checkpoints/tiny.safetensors'));
symlinkSync(fixture('golden/sd15-tiny-lora.safetensors'), join(models, 'loras/lora.safetensors'));

let seen: Tensor | undefined;
const keep = defineNode({
  name: 'Keep',
  displayName: '',
  category: 'test',
  description: '',
  required: { samples: link('LATENT') },
  optional: {},
  outputs: [],
  outputNode: true,
  run({ samples }) {
    seen = samples.samples;
    return { outputs: [] };
  },
});
const engine = createEngine({
  folders: { models, input: join(models, 'input'), output: models, temp: join(models, 'temp') },
  nodes: [keep],
});
afterAll(async () => {
  await engine.dispose();
  rmSync(models, { recursive: true });
});

type Nodes = Readonly<Record<string, readonly [string, Readonly<Record<string, unknown>>]>>;

async function run(nodes: Nodes): Promise<void> {
  const prompt = Object.fromEntries(
    Object.entries(nodes).map(([id, [class_type, inputs]]) => [id, { class_type, inputs }]),
  );
  const result = await engine.run({ prompt });
  if (result.status !== 'success') throw new Error(JSON.stringify(result).slice(0, 2000));
}

const loaded: Nodes = {
  checkpoint: ['CheckpointLoaderSimple', { ckpt_name: 'tiny.safetensors' }],
  model: [
    'LoraLoaderModelOnly',
    { model: ['checkpoint', 0], lora_name: 'lora.safetensors', strength_model: 1.4 },
  ],
};

async function sampled(model: Nodes): Promise<Tensor> {
  await run({
    ...loaded,
    ...model,
    text: ['CLIPTextEncode', { clip: ['checkpoint', 1], text: 'a fox' }],
    latent: ['EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }],
    sample: [
      'KSampler',
      {
        model: ['model', 0],
        positive: ['text', 0],
        negative: ['text', 0],
        latent_image: ['latent', 0],
        ...{ seed: 5, steps: 2, cfg: 1, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
      },
    ],
    keep: ['Keep', { samples: ['sample', 0] }],
  });
  return seen!;
}

describe('ModelSave', () => {
  it('saves what samples alike', async () => {
    const expected = await sampled({});
    await run({
      ...loaded,
      save: ['ModelSave', { model: ['model', 0], filename_prefix: 'diffusion_models/merged' }],
    });
    const saved = await sampled({
      model: ['UNETLoader', { unet_name: 'merged_00001_.safetensors', weight_dtype: 'default' }],
    });
    expect(relativeRms(saved, expected)).toBeLessThan(2e-6);
    const { file, tensors, metadata } = openSafetensors(
      join(models, 'diffusion_models/merged_00001_.safetensors'),
    );
    file.close();
    const checkpoint = openSafetensors(tinyCheckpoint('sd15'));
    checkpoint.file.close();
    const own = [...checkpoint.tensors.keys()].filter((key) => key.startsWith('model.diffusion_model.'));
    expect([...tensors.keys()].sort()).toEqual(own.sort());
    expect(metadata['modelspec.predict_key']).toBe('epsilon');
    expect(metadata['prompt']).toContain('"class_type": "ModelSave"');
  });
});
