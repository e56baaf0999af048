/** A full-size UNet for the comparisons of this folder: CHECKPOINT names the file, models/checkpoints/sd15-full.safetensors if not. */
import type { NamedTensors } from '../src/compute/backend.js';
import type { Graph } from '../src/compute/graph.js';
import { elementCount, tensor } from '../src/compute/tensor.js';
import { recogniseCheckpoint } from '../src/models/families.js';
import { safetensorsWeights } from '../src/models/safetensors-weights.js';
import { openSafetensors } from '../src/models/safetensors.js';
import { buildUnetGraph } from '../src/models/unet/unet-graph.js';

const path = process.env['CHECKPOINT'] ?? 'models/checkpoints/sd15-full.safetensors';
const { unet, weights } = recogniseCheckpoint(safetensorsWeights(openSafetensors(path)));

export function buildGraph(): Graph {
  return buildUnetGraph(unet, weights);
}

/** One evaluation with guidance: two rows of `side`×`side` latent pixels and 77 tokens. */
export function evaluation(graph: Graph, side: number): NamedTensors {
  const rank4 = graph.inputs.find(({ value }) => value.shape.length === 4)!.value.shape;
  const extents = new Map<string, number>([
    [String(rank4[0]), 2],
    [String(rank4[2]), side],
    [String(rank4[3]), side],
  ]);
  return Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const shape = value.shape.map((dim) => (typeof dim === 'number' ? dim : (extents.get(dim.text) ?? 77)));
      const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * 12.9898));
      return [name, tensor(shape, data)];
    }),
  );
}
