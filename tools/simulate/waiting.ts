/** Jobs that wait, each model's in their order. */
export interface WaitingJob {
  readonly arrived: number;
  readonly sequence: number;
  readonly model: number;
  /** Seconds, the model being loaded. */
  readonly work: number;
}

export class WaitingJobs {
  private readonly queues: WaitingJob[][];
  private readonly heads: number[];
  private count = 0;

  constructor(models: number) {
    this.queues = Array.from({ length: models }, () => []);
    this.heads = Array.from({ length: models }, () => 0);
  }

  get size(): number {
    return this.count;
  }

  push(job: WaitingJob): void {
    this.queues[job.model]!.push(job);
    this.count++;
  }

  /** A job that was taken and comes back is before all that came later. */
  putBack(job: WaitingJob): void {
    const rest = this.queues[job.model]!.splice(this.heads[job.model]!);
    const at = rest.findIndex(({ sequence }) => sequence > job.sequence);
    rest.splice(at === -1 ? rest.length : at, 0, job);
    this.queues[job.model] = rest;
    this.heads[job.model] = 0;
    this.count++;
  }

  /** The oldest of these models, or of all. */
  oldest(models: Iterable<number> = this.queues.keys()): WaitingJob | undefined {
    let found: WaitingJob | undefined;
    for (const model of models) {
      const head = this.queues[model]![this.heads[model]!];
      if (head !== undefined && (found === undefined || head.sequence < found.sequence)) found = head;
    }
    return found;
  }

  /** Takes what `oldest` gave. */
  take({ model }: WaitingJob): void {
    const queue = this.queues[model]!;
    this.heads[model] = this.heads[model]! + 1;
    this.count--;
    if (this.heads[model] > 1024 && this.heads[model] * 2 > queue.length) {
      this.queues[model] = queue.slice(this.heads[model]);
      this.heads[model] = 0;
    }
  }
}
