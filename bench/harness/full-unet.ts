/** A full-size UNet for the comparisons of this folder: CHECKPOINT names its file; SD 1.5's layout with zeros for weights if not. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { NamedTensors } from '../../src/compute/backend.js';
import type { Graph } from '../../src/compute/graph.js';
import { evaluateDim } from '../../src/compute/dim.js';
import { elementCount, tensor } from '../../src/compute/tensor.js';
import { recogniseCheckpoint } from '../../src/models/families/recognise.js';
import { safetensorsWeights } from '../../src/models/files/safetensors-weights.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import type { WeightSource } from '../../src/models/weights/weight-source.js';
import { fixtureManifest } from '../../test/support/golden.js';
import { writeHollowCheckpoint } from '../../test/support/models.js';

export interface FullUnet {
  /** The checkpoint's, for people. */
  readonly name: string;
  /** Opens the checkpoint once more, and lets it go. */
  open(): void;
  buildGraph(): Graph;
  /** By the UNet's own keys. */
  readonly weights: WeightSource;
}

export function fullUnet(): FullUnet {
  const given = process.env['CHECKPOINT'];
  const path = given ?? hollowCheckpoint();
  const { denoiser } = recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));
  return {
    name: given === undefined ? 'SD 1.5’s layout, weights of zero' : basename(given),
    open: () => {
      const opened = openSafetensors(path);
      recogniseCheckpoint(safetensorsWeights(opened));
      opened.file.close();
    },
    weights: denoiser.weights,
    buildGraph: () => denoiser.network.graph(denoiser.weights),
  };
}

/** Of which only the header takes room on the disk. */
function hollowCheckpoint(): string {
  const path = join(tmpdir(), 'latentd-bench-sd15-hollow.safetensors');
  if (!existsSync(path)) writeHollowCheckpoint(fixtureManifest('golden/manifests/sd15-full'), path);
  return path;
}

/** One evaluation with guidance: two rows of `side`×`side` latent pixels, 77 tokens, and 16 words of pictures. */
export function evaluation(graph: Graph, side: number): NamedTensors {
  const rank4 = graph.inputs.find(({ value }) => value.shape.length === 4)!.value.shape;
  const extents = new Map<string, number>([
    [String(rank4[0]), 2],
    [String(rank4[2]), side],
    [String(rank4[3]), side],
  ]);
  return Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const known = { N: 2, H: side, W: side, T: 77, 'pictures.0': 16 };
      const shape = value.shape.map((dim) => extents.get(String(dim)) ?? evaluateDim(dim, known));
      const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * 12.9898));
      return [name, tensor(shape, data)];
    }),
  );
}
