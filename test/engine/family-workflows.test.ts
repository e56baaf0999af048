import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixture, goldenTensors, relativeRms, syntheticCheckpoint } from '../support/golden.js';
import { readGzipped } from '../support/gzipped.js';
import { openLatentEngine, type LatentEngine } from '../support/latent-workflows.js';

interface Node {
  readonly class_type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** tools/reference/family_workflows.py: whole workflows, and ComfyUI's latents. */
const workflows = readGzipped('transformers/families.json.gz') as Readonly<
  Record<string, Readonly<Record<string, Node>>>
>;
const golden = goldenTensors('transformers/families.safetensors');

/** What final latents may differ by; ComfyUI differs from itself by up to 3e-6. */
const tolerance = 2e-5;

/** Where manifests lie, by the folder that their files belong to. */
const manifests = {
  diffusion_models: 'transformers',
  clip_vision: 'transformers',
  style_models: 'transformers',
  text_encoders: 'golden/manifests',
  vae: 'golden/manifests',
} as const;

/** Every tiny file that a workflow names, made of its manifest. */
function files(): Record<string, string> {
  const pictures = readdirSync(fixture('transformers/input'));
  const found: Record<string, string> = Object.fromEntries(
    pictures.map((name) => [`input/${name}`, fixture(`transformers/input/${name}`)]),
  );
  for (const name of ['t5', 'llama']) {
    found[`tokenizers/${name}.json.gz`] = fixture(`text/${name}-stand-in.json.gz`);
  }
  const values = Object.values(workflows).flatMap((nodes) =>
    Object.values(nodes).flatMap(({ inputs }) => Object.values(inputs)),
  );
  for (const value of new Set(values)) {
    if (typeof value !== 'string' || !value.endsWith('.safetensors')) continue;
    const name = value.slice(0, -'.safetensors'.length);
    for (const [folder, from] of Object.entries(manifests)) {
      const path = fixture(`${from}/${name}.json`);
      if (!existsSync(path) && !existsSync(`${path}.gz`)) continue;
      found[`${folder}/${value}`] = syntheticCheckpoint(`${from}/${name}`);
    }
  }
  return found;
}

let engine: LatentEngine;
beforeAll(async () => {
  engine = await openLatentEngine(files());
});
afterAll(() => engine.close());

it.each(Object.entries(workflows))('%s ends as in ComfyUI', async (name, workflow) => {
  const [latent] = [...(await engine.latents(JSON.stringify(workflow))).values()];
  expect(latent!.shape).toEqual(golden(name).shape);
  expect(relativeRms(latent!, golden(name))).toBeLessThan(tolerance);
});
