import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { openLatentEngine, type LatentEngine, type WorkflowCase } from '../../support/latent-workflows.js';
import { referenceCases } from '../../support/reference-cases.js';

/** Of tools/reference/ip_adapter.py, by their manifests' names. */
const ADAPTERS = [
  'ip-adapter_sd15',
  'ip-adapter-plus_sd15',
  'ip-adapter-full-face_sd15',
  'ip-adapter_sdxl_vit-h',
  'ip-adapter-plus_sdxl_vit-h',
];
const ENCODER = 'CLIP-ViT-H-14-laion2B-s32B-b79K';

const { cases, tensor } = referenceCases<WorkflowCase>('ip-adapter/workflows.safetensors');

let tiny: LatentEngine;
beforeAll(async () => {
  const adapters = ADAPTERS.map(
    (name) => [`ipadapter/${name}.safetensors`, syntheticCheckpoint(`ip-adapter/${name}`)] as const,
  );
  tiny = await openLatentEngine({
    ...Object.fromEntries(adapters),
    [`clip_vision/${ENCODER}.safetensors`]: syntheticCheckpoint(`ip-adapter/${ENCODER}`),
    'controlnet/sd15-control.safetensors': syntheticCheckpoint('control/sd15-control'),
    'controlnet/sdxl-control.safetensors': syntheticCheckpoint('control/sdxl-control'),
  });
});
afterAll(() => tiny.close());

describe('models that see pictures make the latents that ComfyUI makes', () => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, { workflow, saved }) => {
    const latents = await tiny.latents(workflow);
    for (const [node, name] of Object.entries(saved)) {
      expect(relativeRms(latents.get(node)!, tensor(name))).toBeLessThan(2e-5);
    }
  });
});
