import type { WeightSource } from './weight-source.js';

/** How many parts `PATH.0.…`, `PATH.1.…` follow one another without a gap. */
export function countOf(weights: WeightSource, path: string): number {
  const numbers = new Set<string>();
  for (const key of weights.keys()) {
    if (key.startsWith(`${path}.`)) numbers.add(key.slice(path.length + 1).split('.')[0]!);
  }
  let count = 0;
  while (numbers.has(String(count))) count++;
  return count;
}
