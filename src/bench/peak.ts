/** What the machine can do at most, measured: the scale on which each stage's share is shown. */
import { z } from 'zod';
import type { Backend } from '../compute/backend.js';
import { graphCost } from '../compute/cost.js';
import { GraphBuilder, type Graph } from '../compute/graph.js';
import { tensor } from '../compute/tensor.js';
import type { Weight } from '../compute/weight.js';
import { availableMemory } from '../models/available-memory.js';
import { addScaled } from '../native/addon.js';

export const peakSchema = z.object({
  /** FLOP a second, of a matrix product in the precision that was measured. */
  flops: z.number(),
  flopsBy: z.string(),
  /** Bytes a second, read and written. */
  bandwidth: z.number(),
  bandwidthBy: z.string(),
});
export type Peak = Readonly<z.infer<typeof peakSchema>>;

export interface PeakCandidate {
  /** For people: `latentd's kernels`. */
  readonly name: string;
  readonly backend: Backend;
}

/** Matrices of the size that a UNet's are. */
const TOKENS = 1024;
const CHANNELS = 2048;
const PRODUCTS = 4;
const TRIALS = 5;
/** No more trials are begun after so many milliseconds: a slow machine needn't be slow five times. */
const PATIENCE = 1000;

/** The best of several trials with each of `candidates`. */
export async function measurePeak(candidates: readonly PeakCandidate[]): Promise<Peak> {
  let best = { flops: 0, by: '' };
  for (const { name, backend } of candidates) {
    const flops = await productRate(backend);
    if (flops > best.flops) best = { flops, by: name };
  }
  return {
    flops: best.flops,
    flopsBy: `products of ${TOKENS}×${CHANNELS} and ${CHANNELS}×${CHANNELS} matrices by ${best.by}`,
    bandwidth: await streamRate(),
    bandwidthBy: "a += c·b over arrays larger than the caches, by latentd's addon",
  };
}

async function productRate(backend: Backend): Promise<number> {
  const graph = productGraph();
  const { flops } = graphCost(graph, {});
  const program = await backend.load(graph);
  try {
    const x = tensor([1, TOKENS, CHANNELS], filled(TOKENS * CHANNELS, 1));
    const least = await leastTime(() => program.run({ x }));
    return flops / (least / 1000);
  } finally {
    await program.dispose();
  }
}

/** Several products in a row, beside which the copies in and out are little. */
function productGraph(): Graph {
  const graph = new GraphBuilder('peak', { mayRound: true });
  const values = filled(CHANNELS * CHANNELS, 1 / Math.sqrt(CHANNELS));
  const weight: Weight = {
    name: 'weight',
    shape: [CHANNELS, CHANNELS],
    read: (into) => {
      into.set(values);
    },
  };
  let x = graph.input('x', [1, TOKENS, CHANNELS]);
  for (let index = 0; index < PRODUCTS; index++) x = graph.linear(x, weight);
  graph.output('y', x);
  return graph.build();
}

/** Values spread over [−limit, limit] that make no sum overflow or vanish. */
function filled(count: number, limit: number): Float32Array {
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = limit * (((index * 7919) % 2001) / 1000 - 1);
  return values;
}

/** Milliseconds of the fastest trial. */
async function leastTime(body: () => unknown): Promise<number> {
  const begun = performance.now();
  let least = Infinity;
  for (let trial = 0; trial < TRIALS && (trial < 2 || performance.now() - begun < PATIENCE); trial++) {
    const started = performance.now();
    await body();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

const LARGEST_ARRAY = 2 ** 28;

/** Two reads and a write for each element, of which the write's line has been read already. */
async function streamRate(): Promise<number> {
  const bytes = Math.min(LARGEST_ARRAY, Math.floor(availableMemory() / 16));
  const values = new Float32Array(bytes / 4).fill(1);
  const change = new Float32Array(bytes / 4).fill(1);
  const least = await leastTime(() => {
    addScaled(values, change, 1e-3);
  });
  return (3 * values.byteLength) / (least / 1000);
}
