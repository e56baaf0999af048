/** Results that nodes still to run will ask for, held for them whatever the cache between runs drops meanwhile. */
import type { CachedResult, ResultCache } from './result-cache.js';

export class NeededResults {
  /** By signature, the nodes that will ask for its result; by node, what it will ask for. */
  private readonly holders = new Map<string, Set<string>>();
  private readonly wanted = new Map<string, Set<string>>();
  private readonly results = new Map<string, CachedResult>();

  constructor(private readonly cache: ResultCache) {}

  /** A node will ask for a result: one that it is linked to, or its own, which another of its signature may have made. */
  want(holder: string, signature: string): void {
    addTo(this.holders, signature, holder);
    addTo(this.wanted, holder, signature);
    if (this.results.has(signature)) return;
    const earlier = this.cache.get(signature);
    if (earlier !== undefined) this.results.set(signature, earlier);
  }

  get(signature: string): CachedResult | undefined {
    return this.results.get(signature);
  }

  set(signature: string, result: CachedResult): void {
    if (this.holders.has(signature)) this.results.set(signature, result);
  }

  /** A node is done: results that no other one needs are let go. */
  release(holder: string): void {
    for (const signature of this.wanted.get(holder) ?? []) {
      const holders = this.holders.get(signature)!;
      holders.delete(holder);
      if (holders.size > 0) continue;
      this.holders.delete(signature);
      this.results.delete(signature);
    }
    this.wanted.delete(holder);
  }
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
