import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/compute/backend.js';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import type { RunOptions } from '../../src/engine/engine.js';
import { defineNode, link } from '../../src/nodes/definition.js';
import type { Latent } from '../../src/nodes/values.js';
import { goldenTensors, maxDifference, relativeRms } from '../support/golden.js';
import { drawing, openTinyEngine, type Drawing, type TinyEngine } from './tiny-engine.js';
import { node, ranResult } from './workshop.js';

/** Loads and runs of the backend, and what the runs took of the main thread's time. */
const inference = { loads: 0, runs: 0, ms: 0 };

/** Milliseconds in which the main thread ran, not waited; other processes don't count in. */
function mainThreadMs(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

function watched(backend: Backend): Backend {
  return {
    device: backend.device,
    async load(graph) {
      inference.loads++;
      const program = await backend.load(graph);
      return {
        residentBytes: program.residentBytes,
        dispose: () => program.dispose(),
        async run(inputs) {
          const started = mainThreadMs();
          const outputs = await program.run(inputs);
          inference.ms += mainThreadMs() - started;
          inference.runs++;
          return outputs;
        },
      };
    },
  };
}

let kept: Latent | undefined;
const keep = defineNode({
  name: 'Keep',
  displayName: '',
  category: 'test',
  description: '',
  required: { samples: link('LATENT') },
  optional: {},
  outputs: [],
  outputNode: true,
  run: ({ samples }) => {
    kept = samples;
    return { outputs: [] };
  },
});

let tiny: TinyEngine;
beforeAll(() => {
  tiny = openTinyEngine(watched, [keep]);
});
afterAll(() => tiny.close());

async function draw(what?: Drawing, options?: RunOptions) {
  Object.assign(inference, { loads: 0, runs: 0, ms: 0 });
  const workflow = { ...drawing(what), 8: node('Keep', { samples: ['5', 0] }) };
  const result = ranResult(await tiny.engine.run(workflow, options));
  if (result.status === 'error') throw new Error(JSON.stringify(result.error));
  return { ...result, ran: result.timings.map((timing) => timing.node) };
}

async function readPng(path: string): Promise<Tensor> {
  const { data, info } = await sharp(readFileSync(path)).raw().toBuffer({ resolveWithObject: true });
  return tensor(
    [1, info.height, info.width, info.channels],
    Float32Array.from(data, (value) => value / 255),
  );
}

describe('text to image', () => {
  it.each(['sd15', 'sdxl'])("is ComfyUI's, latents and pixels: %s", async (checkpoint) => {
    const golden = goldenTensors(`golden/${checkpoint}-tiny.golden.safetensors`);
    const { outputs } = await draw({ checkpoint });
    expect(relativeRms(kept!.samples, golden('ksampler.euler.normal.6.cfg7.0'))).toBeLessThan(2e-5);
    const picture = await readPng(outputs['7']!.images![0]!.path);
    const expected = golden('image.euler.normal.6.cfg7.0');
    const bytes = tensor(
      expected.shape,
      expected.data.map((value) => Math.trunc(value * 255) / 255),
    );
    expect(maxDifference(picture, bytes)).toBeLessThan(1.01 / 255);
  });

  it('loads and encodes once: a new seed only samples, decodes and saves', async () => {
    await draw();
    expect(await draw()).toMatchObject({ ran: [] });
    expect(inference).toMatchObject({ loads: 0, runs: 0 });
    expect((await draw({ seed: 18446744073709551615n })).ran).toEqual(['5', '8', '6', '7']);
    // Six evaluations, both conditionings at once, and the decoder.
    expect(inference).toMatchObject({ loads: 0, runs: 7 });
  });

  it('keeps the main thread busy for under 5 ms outside inference when warm', async () => {
    await draw();
    const outside: number[] = [];
    for (let seed = 100; seed < 121; seed++) {
      const started = mainThreadMs();
      await draw({ seed });
      outside.push(mainThreadMs() - started - inference.ms);
    }
    outside.sort((a, b) => a - b);
    expect(outside[10]).toBeLessThan(5);
  });

  it('stops within one step', async () => {
    const controller = new AbortController();
    let steps = 0;
    const { status } = await draw(
      { seed: 7, steps: 1000 },
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type !== 'progress') return;
          expect(event.total_steps).toBe(1000);
          expect(event.preview?.denoised.shape).toEqual([1, 4, 8, 16]);
          expect(event.preview?.latentRgb?.factors).toHaveLength(4);
          if (++steps === 2) controller.abort();
        },
      },
    );
    expect([status, steps]).toEqual(['interrupted', 2]);
  });
});
