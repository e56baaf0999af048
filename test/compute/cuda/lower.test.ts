import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { graphCost } from '../../../src/compute/cost.js';
import { programFlops } from '../../../src/compute/cuda/cost.js';
import { lowerCuda } from '../../../src/compute/cuda/lower.js';
import { lowerBound } from '../../../src/compute/cuda/memory-plan.js';
import { touched, type CudaProgram } from '../../../src/compute/lowering/cuda/program.js';
import type { DimBindings } from '../../../src/compute/dim.js';
import type { Graph } from '../../../src/compute/graph.js';
import { buildTextGraph } from '../../../src/models/clip/text-graph.js';
import { recogniseCheckpoint } from '../../../src/models/families/recognise.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { detectVae } from '../../../src/models/vae/config.js';
import { buildDecoderGraph, buildEncoderGraph } from '../../../src/models/vae/vae-graph.js';
import { createFolders } from '../../../src/models/folders/folders.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { interpretingBackend } from './interpreter/backend.js';
import { underPrefix } from '../../../src/models/weights/weight-views.js';
import { fixtureManifest } from '../../support/golden.js';
import { writeHollowCheckpoint } from '../../support/models.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-cuda-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly bindings: DimBindings;
}

/** Every network of a full-size checkpoint, from its keys and shapes alone. */
function networks(manifest: 'sd15-full' | 'sdxl-full', pixels: number): Case[] {
  const path = join(folder, `${manifest}.safetensors`);
  writeHollowCheckpoint(fixtureManifest(`golden/manifests/${manifest}`), path);
  const source = safetensorsWeights(openSafetensors(path));
  const { denoiser } = recogniseCheckpoint(source);
  const vae = underPrefix(source, 'first_stage_model.');
  const latent = { N: 2, H: pixels / 8, W: pixels / 8, T: 77 };
  const places = { models: folder, input: folder, output: folder, temp: folder };
  const { clip } = createModelStore({
    programs: createProgramCache(interpretingBackend()),
    folders: createFolders(places),
  }).checkpoint(path);
  const texts = Object.entries(clip.weights).map(([part, text]) => ({
    name: `${manifest} text encoder ${part}`,
    graph: buildTextGraph(part, text, 'gelu', { layer: 'last', normalized: true, pooled: 'plain' }),
    bindings: { sections: 2 },
  }));
  return [
    { name: `${manifest} denoiser`, graph: denoiser.network.graph(denoiser.weights), bindings: latent },
    {
      name: `${manifest} decoder`,
      graph: buildDecoderGraph(detectVae(vae), vae),
      bindings: { ...latent, N: 1 },
    },
    {
      name: `${manifest} encoder`,
      graph: buildEncoderGraph(detectVae(vae), vae),
      bindings: { N: 1, H: pixels, W: pixels },
    },
    ...texts,
  ];
}

const cases = [...networks('sd15-full', 512), ...networks('sdxl-full', 1024)].map((given) => ({
  ...given,
  program: lowerCuda(given.graph, given.bindings),
}));

const ofKind = (program: CudaProgram, kind: string): number =>
  program.instructions.filter((instruction) => instruction.kind === kind).length;

describe.each(cases)('$name', ({ graph, bindings, program }) => {
  it('multiplies as much as the graph asks for', () => {
    const wanted = graph.nodes.map((_, index) => {
      const { kind, flops } = graphCost(graph, bindings).nodes[index]!;
      return kind === 'conv2d' || kind === 'linear' || kind === 'attention' ? flops : 0;
    });
    const total = wanted.reduce((sum, flops) => sum + flops, 0);
    // The graph's count has biases and softmax as well.
    expect(programFlops(program) / total).toBeGreaterThan(0.95);
    expect(programFlops(program)).toBeLessThanOrEqual(total);
  });

  it('has every weight in a place of its own', () => {
    const sorted = [...program.weights].sort((a, b) => a.offset - b.offset);
    sorted.slice(1).forEach(({ offset }, index) => {
      expect(offset).toBeGreaterThanOrEqual(sorted[index]!.offset + sorted[index]!.bytes);
    });
    const { weightBytes } = graphCost(graph, bindings);
    // Stored as float16; vectors are float32 on the card.
    expect(program.weightBytes / weightBytes).toBeCloseTo(1, 1);
  });

  it('never has two live buffers in one place', () => {
    const { buffers, arenaBytes } = program;
    const clashes = buffers.flatMap((a, index) =>
      buffers
        .slice(index + 1)
        .filter(
          (b) =>
            a.from <= b.to &&
            b.from <= a.to &&
            a.offset < b.offset + b.bytes &&
            b.offset < a.offset + a.bytes,
        ),
    );
    expect(clashes).toEqual([]);
    expect(Math.max(...buffers.map(({ offset, bytes }) => offset + bytes))).toBeLessThanOrEqual(arenaBytes);
  });

  it('needs little more memory than lives at once', () => {
    expect(program.arenaBytes / lowerBound(program.buffers)).toBeLessThan(1.1);
  });

  it('reads only what was written before, within its buffer', () => {
    const written = new Set<number>();
    for (const instruction of program.instructions) {
      const { reads, writes } = touched(instruction);
      for (const { buffer } of reads) expect(written).toContain(buffer);
      for (const { buffer } of writes) written.add(buffer);
      for (const { buffer, offset, rows, stride, columns, element } of [...reads, ...writes]) {
        const end = (offset + (rows - 1) * stride + columns) * (element === 'half' ? 2 : 4);
        expect(end).toBeLessThanOrEqual(program.buffers[buffer]!.bytes);
        if (element === 'half') expect([offset % 8, stride % 8]).toEqual([0, 0]);
      }
    }
  });

  it('is made of few instructions', () => {
    const kinds = [...new Set(program.instructions.map(({ kind }) => kind))].sort();
    expect(Object.fromEntries(kinds.map((kind) => [kind, ofKind(program, kind)]))).toMatchSnapshot();
  });
});

describe('weights', () => {
  it('are the same at every size', () => {
    const { graph, program } = cases[0]!;
    const other = lowerCuda(graph, { N: 1, H: 32, W: 48, T: 154 });
    expect(other.weights).toEqual(program.weights);
  });
});
