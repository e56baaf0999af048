/**
 * Which engine takes which job: each, in the order of the queue, goes to the engine that would have done it first, what is loaded
 * there and what it is at considered. A job may so wait for a busy engine that has its model, and a free one takes a later job;
 * it doesn't wait longer than the busy one was expected to take.
 */
import type { QueuedJob } from './job.js';

export interface EngineLoad {
  readonly engine: number;
  /** Until it can begin; 0 for one that is free. */
  readonly secondsLeft: number;
  readonly isFree: boolean;
}

export interface PlacementQuestions {
  /** What a job should take on an engine. */
  readonly seconds: (job: QueuedJob, engine: number) => number;
  readonly mayRun: (job: QueuedJob, engine: number) => boolean;
}

/**
 * Who was expected to be done by now is about to be: a client that hears the end of its job sends the next before the engine is free, and
 * would have its model loaded elsewhere.
 */
const ENDING_SECONDS = 0.5;

/** Jobs that are looked at while a free engine looks for one. */
const WINDOW = 32;

export class Placement {
  /** By a job's sequence: until when it waits for an engine that is busy. */
  private readonly patience = new Map<number, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The next job to begin, and where; undefined when none should begin now. */
  next(
    jobs: Iterable<QueuedJob>,
    engines: readonly EngineLoad[],
    { seconds, mayRun }: PlacementQuestions,
  ): { readonly job: QueuedJob; readonly engine: number } | undefined {
    if (!engines.some(({ isFree }) => isFree)) return undefined;
    const until = new Map(engines.map(({ engine, secondsLeft }) => [engine, secondsLeft]));
    let held = 0;
    for (const job of jobs) {
      const able = engines.filter(({ engine }) => mayRun(job, engine));
      const best = earliest(job, able, until, seconds);
      if (best === undefined) continue;
      if (best.load.isFree) return this.taken(job, best.load.engine);
      const free = earliest(
        job,
        able.filter(({ isFree }) => isFree),
        until,
        seconds,
      );
      const busy = until.get(best.load.engine) ?? 0;
      const ending = free === undefined ? 0 : Math.min(free.done - best.done, ENDING_SECONDS);
      if (free !== undefined && !this.isPatient(job, Math.max(busy, ending))) {
        return this.taken(job, free.load.engine);
      }
      until.set(best.load.engine, best.done);
      if (++held === WINDOW) return undefined;
    }
    return undefined;
  }

  /** Milliseconds until a job has waited long enough; undefined when none waits. */
  get impatientIn(): number | undefined {
    const now = this.now();
    const times = [...this.patience.values()].filter((time) => time > now);
    return times.length === 0 ? undefined : Math.min(...times) - now;
  }

  /** A job that waits no more. */
  forget(sequence: number): void {
    this.patience.delete(sequence);
  }

  private taken(job: QueuedJob, engine: number) {
    this.forget(job.sequence);
    return { job, engine };
  }

  /** What it was first told counts: estimates that grow while it waits don't make it wait longer. */
  private isPatient({ sequence }: QueuedJob, seconds: number): boolean {
    const now = this.now();
    const until = this.patience.get(sequence) ?? now + seconds * 1000;
    this.patience.set(sequence, until);
    return now < until;
  }
}

/** Of equals the free one, then the first. */
function earliest(
  job: QueuedJob,
  engines: readonly EngineLoad[],
  until: ReadonlyMap<number, number>,
  seconds: PlacementQuestions['seconds'],
): { readonly load: EngineLoad; readonly done: number } | undefined {
  let best: { readonly load: EngineLoad; readonly done: number } | undefined;
  for (const load of engines) {
    const done = (until.get(load.engine) ?? 0) + seconds(job, load.engine);
    const isBetter =
      best === undefined || done < best.done || (done === best.done && load.isFree && !best.load.isFree);
    if (isBetter) best = { load, done };
  }
  return best;
}
