import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/compute/tensor.js';
import { createEngine, type Engine } from '../../src/index.js';
import { defineNode, link, string } from '../../src/nodes/definition.js';
import { relativeRms, tinyCheckpoint } from '../support/golden.js';
import { referenceCases } from '../support/reference-cases.js';

/** As tools/reference/pick_workflows.py writes them: which tensor each SaveLatent node was given. */
interface WorkflowCase {
  readonly name: string;
  /** JSON; seeds have more digits than numbers in JavaScript. */
  readonly workflow: string;
  readonly saved: Readonly<Record<string, string>>;
}

const { cases, tensor } = referenceCases<WorkflowCase>('sampling/workflows.safetensors');
const saved = new Map<string, Tensor>();

/** Keeps in memory what the workflows save. */
const saveLatent = defineNode({
  name: 'SaveLatent',
  displayName: 'SaveLatent',
  category: 'test',
  description: '',
  required: { samples: link('LATENT'), filename_prefix: string() },
  optional: {},
  outputs: [],
  outputNode: true,
  run({ samples }, { nodeId }) {
    saved.set(nodeId, samples.samples);
    return { outputs: [] };
  },
});

let engine: Engine;
let models: string;
beforeAll(() => {
  models = mkdtempSync(join(tmpdir(), 'latentd-workflows-'));
  mkdirSync(join(models, 'checkpoints'));
  for (const family of ['sd15', 'sdxl'] as const) {
    symlinkSync(tinyCheckpoint(family), join(models, 'checkpoints', `${family}-tiny.safetensors`));
  }
  engine = createEngine({ folders: { models }, threads: 2, nodes: [saveLatent] });
});
afterAll(async () => {
  await engine.dispose();
  rmSync(models, { recursive: true });
});

describe('whole workflows make the latents that ComfyUI makes', () => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, item) => {
    saved.clear();
    const result = await engine.run(item.workflow, { forceOutputs: true });
    expect(result).toMatchObject({ status: 'success' });
    for (const [node, name] of Object.entries(item.saved)) {
      expect(relativeRms(saved.get(node)!, tensor(name))).toBeLessThan(2e-5);
    }
  });
});
