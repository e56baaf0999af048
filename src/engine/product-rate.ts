/** How fast a backend multiplies matrices: the machine's speed, as benchmarks and estimates of time take it. */
import type { Backend } from '../compute/backend.js';
import { graphCost } from '../compute/cost.js';
import { GraphBuilder, type Graph } from '../compute/graph.js';
import { tensor } from '../compute/tensor.js';
import type { Weight } from '../compute/weight.js';

/** A product of `tokens`×`channels` and `channels`×`channels` matrices, and how often it is tried. */
export interface ProductTrial {
  readonly tokens: number;
  readonly channels: number;
  readonly trials: number;
}

const PRODUCTS = 4;
/** No more trials are begun after so many milliseconds: a slow machine needn't be slow five times. */
const PATIENCE = 1000;

/** 2 GFLOP: some 5 ms of two cores. The first trials are slow, while threads and clocks wake up. */
const SMALL: ProductTrial = { tokens: 256, channels: 1024, trials: 12 };
/** 34 GFLOP, for what is too fast for the small one: starting a kernel would count as much as its work. */
const LARGE: ProductTrial = { tokens: 1024, channels: 2048, trials: 3 };
const TOO_FAST = 1e12;

/** FLOP a second of a short trial. */
export async function shortProductRate(backend: Backend): Promise<number> {
  const rate = await productRate(backend, SMALL);
  return rate < TOO_FAST ? rate : productRate(backend, LARGE);
}

/** FLOP a second of the best trial, in the precision that denoisers have with this backend. */
export async function productRate(
  backend: Backend,
  { tokens, channels, trials }: ProductTrial,
): Promise<number> {
  const graph = productGraph(tokens, channels);
  const { flops } = graphCost(graph, {});
  const program = await backend.load(graph);
  try {
    const x = tensor([1, tokens, channels], filled(tokens * channels, 1));
    const least = await leastTime(trials, () => program.run({ x }));
    return flops / (least / 1000);
  } finally {
    await program.dispose();
  }
}

/** Milliseconds of the fastest trial. */
export async function leastTime(trials: number, body: () => unknown): Promise<number> {
  const begun = performance.now();
  let least = Infinity;
  for (let trial = 0; trial < trials && (trial < 2 || performance.now() - begun < PATIENCE); trial++) {
    const started = performance.now();
    await body();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

/** Several products in a row, beside which the copies in and out are little. */
function productGraph(tokens: number, channels: number): Graph {
  const graph = new GraphBuilder('peak', { mayRound: true });
  const values = filled(channels * channels, 1 / Math.sqrt(channels));
  const weight: Weight = {
    name: 'weight',
    shape: [channels, channels],
    read: (into) => {
      into.set(values);
    },
  };
  let x = graph.input('x', [1, tokens, channels]);
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
