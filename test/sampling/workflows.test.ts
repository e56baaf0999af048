import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/compute/tensor.js';
import type { TextEncoders } from '../../src/models/text/text-encoders.js';
import { defineNode } from '../../src/nodes/definition.js';
import { fixture, relativeRms, tinyCheckpoint } from '../support/golden.js';
import { openLatentEngine, type LatentEngine, type WorkflowCase } from '../support/latent-workflows.js';
import { referenceCases } from '../support/reference-cases.js';
import { waved, writeOtherCheckpoint, writeTinyGligen } from '../support/waved.js';

/** Of tools/reference/pick_workflows.py and guidance_workflows.py. */
const fixtures = ['workflows', 'guidance-workflows', 'core-workflows', 'patch-workflows'].map((name) => ({
  name,
  ...referenceCases<WorkflowCase>(`sampling/${name}.safetensors`),
}));

/** Encodes a prompt as GLIGEN is told of it: as wide as SD 1.5's, which the tiny one's is not. */
const wideText = defineNode({
  name: 'WideText',
  displayName: '',
  category: 'test',
  description: '',
  required: {},
  optional: {},
  outputs: [{ type: 'CLIP', name: 'CLIP' }],
  run() {
    const encode = (text: string) => {
      const pooled = tensor([1, 768], waved(text, 768, 1));
      return Promise.resolve({ cond: tensor([1, 1, 768]), pooled });
    };
    const encodeParts = () => encode('');
    const text: TextEncoders = {
      ...{ identity: 'wide', weights: {}, loraNames: () => [], encode, encodeParts },
      ...{ withLayer: () => text, withLengths: () => text, withPatches: () => text },
    };
    return { outputs: [text] };
  },
});

const folder = mkdtempSync(join(tmpdir(), 'latentd-patches-'));
let tiny: LatentEngine;
beforeAll(async () => {
  writeOtherCheckpoint(tinyCheckpoint('sd15'), join(folder, 'sd15-other'));
  writeOtherCheckpoint(tinyCheckpoint('sdxl'), join(folder, 'sdxl-other'));
  writeTinyGligen(join(folder, 'gligen'));
  const networks = ['relu', 'elu', 'swish', 'softsign'].map((name) => [
    `hypernetworks/${name}.pt`,
    fixture(`model-files/hypernetworks/${name}.pt`),
  ]);
  tiny = await openLatentEngine(
    {
      'checkpoints/sd15-tiny-other.safetensors': join(folder, 'sd15-other'),
      'checkpoints/sdxl-tiny-other.safetensors': join(folder, 'sdxl-other'),
      'gligen/tiny.safetensors': join(folder, 'gligen'),
      ...(Object.fromEntries(networks) as Record<string, string>),
    },
    [wideText],
  );
});
afterAll(async () => {
  await tiny.close();
  rmSync(folder, { recursive: true });
});

describe.each(fixtures)('whole workflows make the latents that ComfyUI makes: $name', ({ cases, tensor }) => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, { workflow, saved }) => {
    const latents = await tiny.latents(workflow);
    for (const [node, name] of Object.entries(saved)) {
      expect(relativeRms(latents.get(node)!, tensor(name))).toBeLessThan(2e-5);
    }
  });
});
