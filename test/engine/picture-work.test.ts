import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { graphCost } from '../../src/compute/cost.js';
import { pictureWork } from '../../src/engine/picture-work.js';
import { buildTextGraph } from '../../src/models/clip/text-graph.js';
import { recogniseCheckpoint } from '../../src/models/families/recognise.js';
import { ModelError } from '../../src/models/model-error.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import { klNetworks } from '../../src/models/vae/kl-networks.js';
import { fixtureManifest, syntheticCheckpoint, tinyCheckpoint } from '../support/golden.js';
import { writeHollowCheckpoint } from '../support/models.js';

const STARTER = join(import.meta.dirname, '../../models/checkpoints/starter-sprites.safetensors');
const canvas = { pixels: 256 * 192, guided: true };

describe.each([
  ['sd15-tiny', tinyCheckpoint('sd15')],
  ['sdxl-tiny', tinyCheckpoint('sdxl')],
  ['starter', STARTER],
])('%s', (_, path) => {
  const { denoiser, text, vae } = recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));
  const work = pictureWork(path, canvas);

  test('step and decoder are counted in their graphs', () => {
    // 32×24 latent pixels, as a square.
    const dims = { H: 28, W: 28 };
    const graph = denoiser.network.graph(denoiser.weights);
    expect(work.step.flops).toBe(graphCost(graph, { ...dims, N: 2, T: 77 }).flops);
    expect(work.step.operations).toBe(graph.nodes.length);
    expect(work.decoding.flops).toBe(graphCost(klNetworks(vae!).decoder.build(), { ...dims, N: 1 }).flops);
  });

  test('without a negative prompt a step is half', () => {
    expect(pictureWork(path, { ...canvas, guided: false }).step.flops).toBe(work.step.flops / 2);
  });

  test('text is about what its graphs take', () => {
    const graphs = Object.entries(text!.weights).map(([name, weights]) =>
      buildTextGraph(name, weights, 'gelu', { layer: 'last', normalized: true, pooled: 'none' }),
    );
    const flops = graphs.reduce((sum, graph) => sum + graphCost(graph, { sections: 2 }).flops, 0);
    expect(work.encoding.flops / flops).toBeGreaterThan(0.7);
    expect(work.encoding.flops / flops).toBeLessThan(1.3);
  });
});

test('a ControlNet adds its own graph to each step, and a T2I-Adapter next to nothing', () => {
  const path = tinyCheckpoint('sd15');
  const plain = pictureWork(path, canvas).step;
  const control = syntheticCheckpoint('control/sd15-control');
  const lora = syntheticCheckpoint('control/sd15-control-lora');
  const steered = pictureWork(path, canvas, [control]).step;
  expect(steered.flops / plain.flops).toBeGreaterThan(1.25);
  expect(steered.flops / plain.flops).toBeLessThan(1.45);
  const twice = pictureWork(path, canvas, [control, lora]).step.flops;
  expect(twice - steered.flops).toBe(steered.flops - plain.flops);
  expect(pictureWork(path, canvas, [syntheticCheckpoint('control/sd15-adapter')]).step).toEqual(plain);
});

test('SD 1.5 at 512×512 takes twice 0.8 TFLOP a step, counted without reading a weight', () => {
  const folder = mkdtempSync(join(tmpdir(), 'picture-work-'));
  try {
    const path = join(folder, 'hollow.safetensors');
    writeHollowCheckpoint(fixtureManifest('golden/manifests/sd15-full'), path);
    expect(pictureWork(path, { pixels: 512 * 512, guided: true }).step.flops / 1e12).toBeCloseTo(1.6, 1);
    const broken = join(folder, 'broken.safetensors');
    writeFileSync(broken, 'no model');
    expect(() => pictureWork(broken, canvas)).toThrow(ModelError);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
