/** What the machine can do at most, measured: the scale on which each stage's share is shown. */
import { z } from 'zod';
import type { Backend } from '../compute/backend.js';
import { leastTime, productRate } from '../engine/product-rate.js';
import { availableMemory } from '../models/programs/available-memory.js';
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
const TRIALS = 5;

/** The best of several trials with each of `candidates`. */
export async function measurePeak(candidates: readonly PeakCandidate[]): Promise<Peak> {
  let best = { flops: 0, by: '' };
  for (const { name, backend } of candidates) {
    const flops = await productRate(backend, { tokens: TOKENS, channels: CHANNELS, trials: TRIALS });
    if (flops > best.flops) best = { flops, by: name };
  }
  return {
    flops: best.flops,
    flopsBy: `products of ${TOKENS}×${CHANNELS} and ${CHANNELS}×${CHANNELS} matrices by ${best.by}`,
    bandwidth: await streamRate(),
    bandwidthBy: "a += c·b over arrays larger than the caches, by latentd's addon",
  };
}

const LARGEST_ARRAY = 2 ** 28;

/** Two reads and a write for each element, of which the write's line has been read already. */
async function streamRate(): Promise<number> {
  const bytes = Math.min(LARGEST_ARRAY, Math.floor(availableMemory() / 16));
  const values = new Float32Array(bytes / 4).fill(1);
  const change = new Float32Array(bytes / 4).fill(1);
  const least = await leastTime(TRIALS, () => {
    addScaled(values, change, 1e-3);
  });
  return (3 * values.byteLength) / (least / 1000);
}
