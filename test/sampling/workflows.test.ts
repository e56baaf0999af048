import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeRms } from '../support/golden.js';
import { openLatentEngine, type LatentEngine, type WorkflowCase } from '../support/latent-workflows.js';
import { referenceCases } from '../support/reference-cases.js';

/** Of tools/reference/pick_workflows.py and guidance_workflows.py. */
const fixtures = ['workflows', 'guidance-workflows', 'core-workflows'].map((name) => ({
  name,
  ...referenceCases<WorkflowCase>(`sampling/${name}.safetensors`),
}));

let tiny: LatentEngine;
beforeAll(async () => {
  tiny = await openLatentEngine();
});
afterAll(() => tiny.close());

describe.each(fixtures)('whole workflows make the latents that ComfyUI makes: $name', ({ cases, tensor }) => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, { workflow, saved }) => {
    const latents = await tiny.latents(workflow);
    for (const [node, name] of Object.entries(saved)) {
      expect(relativeRms(latents.get(node)!, tensor(name))).toBeLessThan(2e-5);
    }
  });
});
