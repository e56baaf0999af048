/**
 * Seconds that all waiting jobs should take, kept as jobs come and go: what a request costs must not grow with the queue. Jobs of
 * the same load are counted together.
 */
import type { Estimates } from './estimates.js';
import type { JobLoad } from './job.js';

export class WaitingTime {
  private readonly loads = new Map<string, { readonly load: JobLoad; count: number }>();
  private sum = 0;
  private version: number;

  constructor(private readonly estimates: Pick<Estimates, 'seconds' | 'version'>) {
    this.version = estimates.version;
  }

  add(load: JobLoad): void {
    const key = keyOf(load);
    const known = this.loads.get(key);
    if (known === undefined) this.loads.set(key, { load, count: 1 });
    else known.count++;
    if (this.isCurrent) this.sum += this.estimates.seconds(load);
  }

  remove(load: JobLoad): void {
    const key = keyOf(load);
    const known = this.loads.get(key);
    if (known === undefined) return;
    if (--known.count === 0) this.loads.delete(key);
    if (this.isCurrent) this.sum -= this.estimates.seconds(load);
  }

  /** Counted anew only when estimates have changed, once for all jobs of the same load. */
  get seconds(): number {
    if (!this.isCurrent) {
      this.sum = [...this.loads.values()].reduce(
        (sum, { load, count }) => sum + count * this.estimates.seconds(load),
        0,
      );
      this.version = this.estimates.version;
    }
    return this.loads.size === 0 ? 0 : Math.max(0, this.sum);
  }

  private get isCurrent(): boolean {
    return this.version === this.estimates.version;
  }
}

function keyOf({ pixels, steps, images, model }: JobLoad): string {
  return `${pixels}/${steps}/${images}/${model}`;
}
