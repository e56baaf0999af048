/** Results that nodes still to run will ask for, held for them whatever the cache between runs drops meanwhile. */
import { plannedEdges } from './order.js';
import type { CachedResult, ResultCache } from './result-cache.js';
import type { Plan } from './validate.js';

export class NeededResults {
  private readonly uses = new Map<string, number>();
  private readonly results = new Map<string, CachedResult>();

  /** `order` are the nodes to run; what they need of earlier runs is taken from `cache`. */
  constructor(
    private readonly plan: Plan,
    private readonly keyOf: (id: string) => string,
    order: readonly string[],
    cache: ResultCache,
  ) {
    for (const id of order) {
      for (const key of this.keysUsedBy(id)) {
        this.uses.set(key, (this.uses.get(key) ?? 0) + 1);
        const earlier = cache.get(key);
        if (earlier !== undefined) this.results.set(key, earlier);
      }
    }
  }

  get(id: string): CachedResult | undefined {
    return this.results.get(this.keyOf(id));
  }

  set(id: string, result: CachedResult): void {
    this.results.set(this.keyOf(id), result);
  }

  /** A node is done: results that no other one needs are let go. */
  release(id: string): void {
    for (const key of this.keysUsedBy(id)) {
      const uses = this.uses.get(key)! - 1;
      this.uses.set(key, uses);
      if (uses === 0) this.results.delete(key);
    }
  }

  /** A node uses what it is linked to, and its own result until its turn is over: another of its signature may have made it. */
  private keysUsedBy(id: string): readonly string[] {
    const edges = plannedEdges(this.plan.nodes.get(id)!);
    return [this.keyOf(id), ...edges.map(({ from }) => this.keyOf(from))];
  }
}
