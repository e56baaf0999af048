import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/compute/backend.js';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { lowerCuda } from '../../../src/compute/cuda/lower.js';
import { GraphBuilder, type Graph } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { withFallback } from '../../../src/compute/with-fallback.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { createAutoencoder } from '../../../src/models/vae/autoencoder.js';
import { detectVae } from '../../../src/models/vae/config.js';
import { buildDecoderGraph } from '../../../src/models/vae/vae-graph.js';
import { underPrefix } from '../../../src/models/weights/weight-views.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { relativeRms, tinyCheckpoint } from '../../support/golden.js';

const addon = emulatedCudaAddon();
const device = new addon.CudaDevice(0);
const card = createCudaBackend({ addon, device });
const wholeBytes = 2 ** 33;

afterEach(() => {
  addon.emulate({ memoryBytes: wholeBytes, lost: false });
});

/** Leaves the card `bytes` more than what it holds now. */
function leave(bytes: number): void {
  addon.emulate({ memoryBytes: wholeBytes - device.freeBytes() + bytes });
}

function pattern(...shape: number[]): Tensor {
  const values = tensor(shape);
  values.data.forEach((_, index) => (values.data[index] = Math.sin(index * 12.9898)));
  return values;
}

const rows = 256;

/** One linear layer of `rows`×`rows` in half precision. */
function layer(name: string): Graph {
  const graph = new GraphBuilder(name);
  const weight = { name: 'w', shape: [rows, rows], read: (into: Float32Array) => into.fill(1 / rows) };
  graph.output('y', graph.linear(graph.input('x', [1, rows]), weight));
  return graph.build();
}

const run = (backend: Backend) => {
  const programs = createProgramCache(backend);
  const use = (name: string) =>
    programs.use(
      name,
      () => layer(name),
      (program) => program.run({ x: pattern(1, rows) }),
    );
  return { programs, use };
};

describe('a card with too little memory', () => {
  it('decodes in tiles, and says so', { timeout: 120_000 }, async () => {
    const weights = underPrefix(
      safetensorsWeights(openSafetensors(tinyCheckpoint('sd15'))),
      'first_stage_model.',
    );
    const notices: string[] = [];
    const programs = createProgramCache(card);
    const decoder = createAutoencoder(weights, programs, { notify: (message) => notices.push(message) });
    // The widest of the tiles that are taken has 128 pixels of the latent; one row, as this card is slow.
    const vae = detectVae(weights);
    const arena = (width: number): number =>
      lowerCuda(buildDecoderGraph(vae, weights), { N: 1, H: 1, W: width }, { precision: 'bf16' }).arenaBytes;
    await programs.use(
      `vae decoder ${decoder.identity}`,
      () => buildDecoderGraph(vae, weights),
      () => Promise.resolve(),
    );
    // What the whole would need but for its pixels.
    leave(arena(144));
    const latent = pattern(1, 4, 1, 144);
    const image = await decoder.decode(latent);
    expect(notices).toEqual(['VAE decoding in tiles: the whole image was too much for memory']);
    const cpu = createAutoencoder(weights, createProgramCache(createOnnxBackend()));
    const expected = await cpu.decode(latent, { tileSize: 512, overlap: 128 });
    expect(relativeRms(image, expected)).toBeLessThan(1e-2);
    await programs.dispose();
  });

  it('drops what was used longest ago when weights don’t fit', async () => {
    const { programs, use } = run(card);
    await use('first');
    leave(2 ** 19 + 2 ** 16);
    await use('second');
    await use('first');
    await programs.dispose();
  });

  it('says what there was no memory for when nothing is left to drop', async () => {
    leave(2 ** 10);
    await expect(run(card).use('lonely')).rejects.toThrow(
      /out of memory .* while reserving memory for weights/,
    );
  });
});

describe('a card that is lost', () => {
  it('is left for the CPU, with one notice, and programs go on there', async () => {
    const notices: string[] = [];
    const { use } = run(withFallback(card, createOnnxBackend(), (message) => notices.push(message)));
    const { y: before } = await use('layer');
    addon.emulate({ lost: true });
    const { y: after } = await use('layer');
    expect(relativeRms(after!, before!)).toBeLessThan(1e-3);
    await use('another');
    expect(notices).toEqual([
      expect.stringMatching(
        /^the cpu computes from now on, cuda is lost: CUDA: an illegal memory access was encountered/,
      ),
    ]);
  });
});
