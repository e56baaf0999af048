import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { previewPainter, type PreviewMethod, type StepPreview } from '../../src/engine-process/preview.js';
import { Previews } from '../../src/engine-process/previews.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { tinyDecoder } from '../../src/models/vae/tiny-files.js';
import { goldenTensors } from '../support/golden.js';
import { drawing, openTinyEngine, type TinyEngine } from '../engine/tiny-engine.js';
import { ranResult } from '../engine/workshop.js';

let tiny: TinyEngine;
let folder: string;
let notices: string[] = [];
/** Another one for each run, so that it samples anew. */
let seed = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-previews-'));
  tiny = openTinyEngine((backend) => backend);
});
afterEach(() => {
  notices = [];
});
afterAll(async () => {
  await tiny.close();
  rmSync(folder, { recursive: true });
});

const painter = (method: PreviewMethod) => previewPainter(method, (message) => notices.push(message));

/** Runs a small text to image and returns its first preview. */
async function previewOf(method: PreviewMethod): Promise<string | undefined> {
  const told: string[] = [];
  const own = mkdtempSync(join(folder, 'job-'));
  const previews = new Previews(own, 0, painter(method), ({ path }) => told.push(path));
  const onEvent: Parameters<typeof tiny.engine.run>[1] = {
    onEvent(event) {
      if (event.type === 'progress') previews.see(event);
    },
  };
  ranResult(await tiny.engine.run(drawing({ seed: seed++ }), onEvent));
  await previews.settle();
  expect(readdirSync(own)).toHaveLength(told.length);
  return told[0];
}

/** What `change` makes of the last step of a run; it sees them all. */
async function stepWith(change: (preview: StepPreview) => StepPreview): Promise<StepPreview> {
  let seen: StepPreview | undefined;
  await tiny.engine.run(drawing({ steps: 2, seed: seed++ }), {
    onEvent(event) {
      if (event.type === 'progress' && event.preview !== undefined) seen = change(event.preview);
    },
  });
  return seen!;
}

const sizeOf = async (path: string) => {
  const { width, height } = await sharp(path).metadata();
  return [width, height];
};

describe('live previews', () => {
  it('are the latent in colours, enlarged', async () => {
    expect(await sizeOf((await previewOf('latent2rgb'))!)).toEqual([256, 128]);
    expect(notices).toEqual([]);
  });

  it('are decoded with taesd', async () => {
    expect(await sizeOf((await previewOf('taesd'))!)).toEqual([128, 64]);
    expect(notices).toEqual([]);
  });

  it('can be done without', async () => {
    expect(await previewOf('none')).toBeUndefined();
  });

  it('show what the tiny decoder makes of the latent of that step', async () => {
    let image: Promise<Tensor> | undefined;
    let latent: Tensor | undefined;
    const step = await stepWith((preview) => {
      latent ??= tensor(preview.denoised.shape, preview.denoised.data.slice());
      image ??= preview.tinyDecoder!.decode!();
      return { ...preview, tinyDecoder: { file: 'taesd_decoder', decode: () => image! } };
    });
    const path = join(folder, 'shown.png');
    expect(await painter('taesd')!(step, path)).toBe(true);
    const shown = await sharp(path).removeAlpha().raw().toBuffer();
    const programs = createProgramCache(createOnnxBackend());
    const { folders } = tiny.engine;
    const vae = createModelStore({ programs, folders }).vae(tinyDecoder(folders, 'taesd_decoder')!);
    const { data } = await vae.decode(latent!);
    await programs.dispose();
    expect(shown).toHaveLength(data.length);
    shown.forEach((value, index) => {
      expect(Math.abs(value - data[index]! * 255)).toBeLessThanOrEqual(1);
    });
  });
});

describe('without a decoder that works', () => {
  const golden = goldenTensors('vae/tiny.safetensors');
  const step = (decode?: () => Promise<Tensor>): StepPreview => ({
    denoised: golden('latent'),
    latentRgb: { factors: Array<[number, number, number]>(4).fill([0.1, 0.1, 0.1]) },
    tinyDecoder: { file: 'taesd_decoder', ...(decode && { decode }) },
  });

  it('taesd falls back, and says so once', async () => {
    const paint = painter('taesd')!;
    for (const name of ['a.png', 'b.png']) {
      const path = join(folder, name);
      expect(await paint(step(), path)).toBe(true);
      expect(await sizeOf(path)).toEqual([6 * 42, 4 * 42]);
    }
    expect(notices).toEqual([
      'previews by latent2rgb instead of taesd: there is no taesd_decoder in the models folder vae_approx',
    ]);
  });

  it('a broken file is named once', async () => {
    const paint = painter('taesd')!;
    const broken = step(() => Promise.reject(new Error('taesd_decoder.pth has no tensor 1.weight')));
    for (const name of ['c.png', 'd.png']) expect(await paint(broken, join(folder, name))).toBe(true);
    expect(notices).toEqual([
      'previews by latent2rgb instead of taesd: taesd_decoder.pth has no tensor 1.weight',
    ]);
  });

  it('a family without colours has no preview', async () => {
    const path = join(folder, 'none.png');
    const { denoised } = step();
    expect(await painter('taesd')!({ denoised }, path)).toBe(false);
  });
});
