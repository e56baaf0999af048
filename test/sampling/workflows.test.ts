import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/compute/tensor.js';
import { createEngine, type Engine } from '../../src/index.js';
import { defineNode, link, string } from '../../src/nodes/definition.js';
import { fixture, relativeRms, tinyCheckpoint } from '../support/golden.js';
import { referenceCases } from '../support/reference-cases.js';

/** A workflow, and which tensor each of its SaveLatent nodes was given. */
interface WorkflowCase {
  readonly name: string;
  /** JSON; seeds have more digits than numbers in JavaScript. */
  readonly workflow: string;
  readonly saved: Readonly<Record<string, string>>;
}

/** Of tools/reference/pick_workflows.py and guidance_workflows.py. */
const fixtures = ['workflows', 'guidance-workflows'].map((name) => ({
  name,
  ...referenceCases<WorkflowCase>(`sampling/${name}.safetensors`),
}));
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

/** As tools/reference/parity.py draws it. */
function picture(): Uint8Array {
  const pixels = new Uint8Array(110 * 150 * 4);
  for (let y = 0, at = 0; y < 110; y++) {
    for (let x = 0; x < 150; x++, at += 4) {
      const isOpaque = (Math.floor(x / 20) + Math.floor(y / 30)) % 2 === 1;
      pixels.set([x * 37 + y * 11, x * x + y, y * 5, isOpaque ? 255 : (x * 2) % 200], at);
    }
  }
  return pixels;
}

let engine: Engine;
let models: string;
beforeAll(async () => {
  models = mkdtempSync(join(tmpdir(), 'latentd-workflows-'));
  mkdirSync(join(models, 'checkpoints'));
  mkdirSync(join(models, 'loras'));
  for (const family of ['sd15', 'sdxl'] as const) {
    symlinkSync(tinyCheckpoint(family), join(models, 'checkpoints', `${family}-tiny.safetensors`));
    const lora = `${family}-tiny-lora.safetensors`;
    symlinkSync(fixture(`golden/${lora}`), join(models, 'loras', lora));
  }
  const input = join(models, 'input');
  mkdirSync(input);
  await sharp(picture(), { raw: { width: 150, height: 110, channels: 4 } }).toFile(join(input, 'parity.png'));
  engine = createEngine({ folders: { models, input }, threads: 2, nodes: [saveLatent] });
});
afterAll(async () => {
  await engine.dispose();
  rmSync(models, { recursive: true });
});

describe.each(fixtures)('whole workflows make the latents that ComfyUI makes: $name', ({ cases, tensor }) => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, item) => {
    saved.clear();
    const result = await engine.run(item.workflow, { forceOutputs: true });
    expect(result).toMatchObject({ status: 'success' });
    for (const [node, name] of Object.entries(item.saved)) {
      expect(relativeRms(saved.get(node)!, tensor(name))).toBeLessThan(2e-5);
    }
  });
});
