import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { openLatentEngine, type LatentEngine, type WorkflowCase } from '../../support/latent-workflows.js';
import { referenceCases } from '../../support/reference-cases.js';

/** Of tools/reference/control_files.py, by their manifests' names. */
const CONTROLS = [
  'sd15-adapter',
  'sd15-adapter-color',
  'sd15-adapter-grey',
  'sd15-control',
  'sd15-control-diff',
  'sd15-control-diffusers',
  'sd15-control-lora',
  'sdxl-adapter',
  'sdxl-adapter-diffusers',
  'sdxl-control',
  'sdxl-control-small',
  'sdxl-control-union',
];

/** Of ComfyUI's own classes, and of ComfyUI-Advanced-ControlNet's. */
const suites = ['workflows', 'advanced'].map((name) => ({
  name,
  ...referenceCases<WorkflowCase>(`control/${name}.safetensors`),
}));

let tiny: LatentEngine;
beforeAll(async () => {
  const files = CONTROLS.map((name) => [name, syntheticCheckpoint(`control/${name}`)] as const);
  tiny = await openLatentEngine({
    ...Object.fromEntries(files.map(([name, path]) => [`controlnet/${name}.safetensors`, path])),
    'controlnet/sd15_shuffle.safetensors': syntheticCheckpoint('control/sd15-control'),
    'loras/sd15-tiny-lora.safetensors': fixture('golden/sd15-tiny-lora.safetensors'),
  });
});
afterAll(() => tiny.close());

describe.each(suites)(
  'prompts that follow pictures make the latents of the reference: $name',
  ({ cases, tensor }) => {
    it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, { workflow, saved }) => {
      const latents = await tiny.latents(workflow);
      for (const [node, name] of Object.entries(saved)) {
        expect(relativeRms(latents.get(node)!, tensor(name))).toBeLessThan(2e-5);
      }
    });
  },
);
