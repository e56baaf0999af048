/** An engine over the real node classes and the tiny checkpoints, on a backend that can be watched. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../src/compute/backend.js';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { engineOf, type Engine } from '../../src/engine/engine.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import type { AnyNodeClass } from '../../src/nodes/definition.js';
import { nodeClasses } from '../../src/nodes/index.js';
import { tinyCheckpoint } from '../support/golden.js';
import { linkTinyVaes } from '../support/tiny-vaes.js';
import { node } from './workshop.js';

export interface TinyEngine {
  readonly engine: Engine;
  close(): Promise<void>;
}

export function openTinyEngine(watch: (backend: Backend) => Backend, nodes: AnyNodeClass[] = []): TinyEngine {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-tiny-'));
  const checkpoints = join(folder, 'models', 'checkpoints');
  mkdirSync(checkpoints, { recursive: true });
  for (const family of ['sd15', 'sdxl'] as const) {
    symlinkSync(tinyCheckpoint(family), join(checkpoints, `${family}.safetensors`));
  }
  linkTinyVaes(join(folder, 'models'));
  const folders = createFolders({
    models: join(folder, 'models'),
    input: folder,
    output: join(folder, 'output'),
    temp: folder,
  });
  const programs = createProgramCache(watch(createOnnxBackend()));
  const engine = engineOf({
    registry: new Map([...nodeClasses, ...nodes.map((each) => [each.name, each] as const)]),
    folders,
    models: createModelStore({ programs, folders }),
    resultBytes: 1 << 28,
    dispose: () => programs.dispose(),
  });
  return {
    engine,
    close: async () => {
      await engine.dispose();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Drawing {
  readonly checkpoint?: string;
  readonly seed?: number | bigint;
  readonly steps?: number;
}

/** The golden files' text to image: node 5 samples, 7 saves. */
export function drawing({ checkpoint = 'sd15', seed = 42, steps = 6 }: Drawing = {}) {
  return {
    1: node('CheckpointLoaderSimple', { ckpt_name: `${checkpoint}.safetensors` }),
    2: node('CLIPTextEncode', {
      clip: ['1', 1],
      text: 'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels',
    }),
    3: node('CLIPTextEncode', { clip: ['1', 1], text: 'blurry, low quality' }),
    4: node('EmptyLatentImage', { width: 128, height: 64, batch_size: 1 }),
    5: node('KSampler', {
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['3', 0],
      latent_image: ['4', 0],
      seed,
      steps,
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
    }),
    6: node('VAEDecode', { samples: ['5', 0], vae: ['1', 2] }),
    7: node('SaveImage', { images: ['6', 0], filename_prefix: 'sprite' }),
  };
}
