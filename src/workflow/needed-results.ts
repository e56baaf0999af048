/** Results that nodes still to run will ask for, held for them whatever the cache between runs drops meanwhile. */
import type { CachedResult, ResultCache } from './result-cache.js';

export class NeededResults {
  /** By signature, how often its result will be asked for; by node, each time that it will ask. */
  private readonly counts = new Map<string, number>();
  private readonly wanted = new Map<string, string[]>();
  private readonly results = new Map<string, CachedResult>();

  constructor(private readonly cache: ResultCache) {}

  /** A node will ask for a result: one that it is linked to, or its own, which another of its signature may have made. */
  want(holder: string, signature: string): void {
    this.counts.set(signature, (this.counts.get(signature) ?? 0) + 1);
    const wanted = this.wanted.get(holder);
    if (wanted === undefined) this.wanted.set(holder, [signature]);
    else wanted.push(signature);
    if (this.results.has(signature)) return;
    const earlier = this.cache.get(signature);
    if (earlier !== undefined) this.results.set(signature, earlier);
  }

  get(signature: string): CachedResult | undefined {
    return this.results.get(signature);
  }

  set(signature: string, result: CachedResult): void {
    if (this.counts.has(signature)) this.results.set(signature, result);
  }

  /** A node is done: results that no other one needs are let go. */
  release(holder: string): void {
    for (const signature of this.wanted.get(holder) ?? []) {
      const count = this.counts.get(signature)! - 1;
      this.counts.set(signature, count);
      if (count > 0) continue;
      this.counts.delete(signature);
      this.results.delete(signature);
    }
    this.wanted.delete(holder);
  }
}
