import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, goldenTensors, relativeRms, syntheticCheckpoint } from '../support/golden.js';
import { openLatentEngine, type LatentEngine } from '../support/latent-workflows.js';
import { readGzipped } from '../support/gzipped.js';

/** Files of a family's tiny models, by their folders: each a manifest of the fixtures. */
interface FamilyFiles {
  readonly denoiser: string;
  readonly encoder: string;
  readonly vae: string;
}

const families: Readonly<Record<string, FamilyFiles>> = {
  'flux2-klein': { denoiser: 'flux2-klein', encoder: 'qwen3_4b', vae: 'flux2_vae' },
  z_image: { denoiser: 'z_image', encoder: 'qwen3_4b', vae: 'ae' },
  qwen_image: { denoiser: 'qwen_image', encoder: 'qwen25_vl_7b', vae: 'qwen_image_vae' },
  lumina2: { denoiser: 'lumina2', encoder: 'gemma2_2b', vae: 'ae' },
  'flux2-dev': { denoiser: 'flux2-dev', encoder: 'mistral3', vae: 'flux2_vae' },
};

/** What final latents may differ by; ComfyUI differs from itself by up to 3e-6. */
const tolerance = 2e-5;

const workflows = readGzipped('transformers/workflows.json.gz') as Readonly<
  Record<string, Readonly<Record<string, object>>>
>;
const golden = goldenTensors('transformers/latents.safetensors');

function files({ denoiser, encoder, vae }: FamilyFiles): Record<string, string> {
  const pictures = readdirSync(fixture('transformers/input'));
  return {
    [`diffusion_models/${denoiser}-tiny.safetensors`]: syntheticCheckpoint(`transformers/${denoiser}-tiny`),
    [`text_encoders/${encoder}-tiny.safetensors`]: syntheticCheckpoint(`golden/manifests/${encoder}-tiny`),
    [`vae/${vae}-tiny.safetensors`]: syntheticCheckpoint(`golden/manifests/${vae}-tiny`),
    ...Object.fromEntries(pictures.map((name) => [`input/${name}`, fixture(`transformers/input/${name}`)])),
  };
}

describe.each(Object.keys(families))('%s, from files to latents', (family) => {
  let engine: LatentEngine;
  beforeAll(async () => {
    engine = await openLatentEngine(files(families[family]!));
  });
  afterAll(() => engine.close());

  it.each(Object.entries(workflows[family]!))('%s', async (name, workflow) => {
    const [latent] = [...(await engine.latents(JSON.stringify(workflow))).values()];
    expect(relativeRms(latent!, golden(`${family}.${name}`))).toBeLessThan(tolerance);
  });
});
