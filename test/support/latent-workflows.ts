/** Whole workflows on the tiny checkpoints, whose latents are kept to be compared. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { createEngine, type Engine } from '../../src/index.js';
import { defineNode, link, string, type AnyNodeClass } from '../../src/nodes/definition.js';
import { fixture, tinyCheckpoint } from './golden.js';

/** A workflow, and which tensor each of its SaveLatent and KeepImage nodes was given. */
export interface WorkflowCase {
  readonly name: string;
  /** JSON; seeds have more digits than numbers in JavaScript. */
  readonly workflow: string;
  readonly saved: Readonly<Record<string, string>>;
}

export interface LatentEngine {
  readonly engine: Engine;
  /** What a workflow's SaveLatent and KeepImage nodes were given, by node. */
  latents(workflow: string): Promise<ReadonlyMap<string, Tensor>>;
  close(): Promise<void>;
}

/** `files` of a models folder, beside `checkpoints/sd15-tiny` and `sdxl-tiny`, and what lies there. The input folder has `parity.png`. `nodes` are known beside latentd's. */
export async function openLatentEngine(
  files: Readonly<Record<string, string>> = {},
  nodes: readonly AnyNodeClass[] = [],
): Promise<LatentEngine> {
  const models = mkdtempSync(join(tmpdir(), 'latentd-workflows-'));
  const all = {
    'checkpoints/sd15-tiny.safetensors': tinyCheckpoint('sd15'),
    'checkpoints/sdxl-tiny.safetensors': tinyCheckpoint('sdxl'),
    'loras/sd15-tiny-lora.safetensors': fixture('golden/sd15-tiny-lora.safetensors'),
    'loras/sdxl-tiny-lora.safetensors': fixture('golden/sdxl-tiny-lora.safetensors'),
    ...files,
  };
  for (const [name, path] of Object.entries(all)) {
    mkdirSync(dirname(join(models, name)), { recursive: true });
    symlinkSync(path, join(models, name));
  }
  const input = join(models, 'input');
  mkdirSync(input, { recursive: true });
  await sharp(picture(), { raw: { width: 150, height: 110, channels: 4 } }).toFile(join(input, 'parity.png'));
  const saved = new Map<string, Tensor>();
  const engine = createEngine({
    folders: { models, input },
    threads: 2,
    nodes: [keeping(saved, 'SaveLatent', 'LATENT'), keeping(saved, 'KeepImage', 'IMAGE'), ...nodes],
  });
  return {
    engine,
    async latents(workflow) {
      saved.clear();
      const result = await engine.run(workflow, { forceOutputs: true });
      if (result.status !== 'success') throw new Error(JSON.stringify(result).slice(0, 2000));
      return new Map(saved);
    },
    async close() {
      await engine.dispose();
      rmSync(models, { recursive: true });
    },
  };
}

/** Keeps what it is given in memory. */
function keeping(saved: Map<string, Tensor>, name: string, type: 'LATENT' | 'IMAGE') {
  return defineNode({
    name,
    displayName: name,
    category: 'test',
    description: '',
    required: { samples: link(type), filename_prefix: string() },
    optional: {},
    outputs: [],
    outputNode: true,
    run({ samples }, { nodeId }) {
      saved.set(nodeId, 'samples' in samples ? samples.samples : samples);
      return { outputs: [] };
    },
  });
}

/** `parity.png` as LoadImage gives it, 1×110×150×3. */
export function parityPicture(): Tensor {
  const rgba = picture();
  return tensor(
    [1, 110, 150, 3],
    Float32Array.from({ length: 110 * 150 * 3 }, (_, at) => rgba[Math.floor(at / 3) * 4 + (at % 3)]! / 255),
  );
}

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
