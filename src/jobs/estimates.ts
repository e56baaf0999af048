/**
 * How long jobs take, learned from those that ran: seconds a phase, by model and image area; for sampling, a step. Loading is
 * two things: from the disk, and next to nothing where the engine's last job used the same model.
 */
import type { JobLoad } from './job.js';
import type { PhaseTimes } from './phase-clock.js';
import type { Phase } from './phases.js';

export type Measure = Phase | 'loading (warm)';

/** Seconds that a phase took on average, for a model and image area; for sampling, of one step. */
export interface MeasuredTime {
  readonly model: string;
  readonly pixels: number;
  readonly measure: Measure;
  readonly count: number;
  readonly meanSeconds: number;
}

/** Means over everything measured. */
export type MeasuredSummary = Readonly<
  Partial<Record<Measure, { readonly count: number; readonly meanSeconds: number }>>
>;

/** Before anything was measured: a small model on a CPU. */
const FIRST_GUESS: Readonly<Record<Measure, number>> = {
  preparing: 0.05,
  loading: 5,
  'loading (warm)': 0.05,
  encoding: 0.3,
  sampling: 1,
  decoding: 1,
  finishing: 0.1,
};

/** What grows with the image's area. */
const SCALED: readonly Measure[] = ['sampling', 'decoding', 'finishing'];

/** Old measurements fade: the mean is over about this many runs. */
const MEMORY = 10;

/** Seconds a phase of a whole job; the decoding of all images but the last happens between samplings, and counts there. */
export type JobForecast = Readonly<Record<Phase, number>>;

export class Estimates {
  private readonly times = new Map<string, MeasuredTime>();
  private readonly forecasts = new Map<string, number>();
  private changes = 0;
  /** By engine: the model that it ran last, so that its weights are loaded. */
  private readonly warmModels = new Map<number, string>();

  constructor(known: readonly MeasuredTime[]) {
    for (const time of known) this.times.set(keyOf(time.model, time.pixels, time.measure), time);
  }

  /** Folds in what one workflow of a job took on an engine and returns what is now known, to be made durable. */
  learn(load: JobLoad, { phases, steps, firstStep }: PhaseTimes, engine = 0): readonly MeasuredTime[] {
    const sampling = phases.sampling ?? 0;
    // The first step also loads the weights that nothing needed before it.
    const step = steps > 1 ? (sampling - firstStep) / (steps - 1) : sampling;
    const loading = (phases.loading ?? 0) + Math.max(0, firstStep - step);
    const measured: readonly (readonly [Measure, number | undefined])[] = [
      ['preparing', phases.preparing],
      [this.isWarm(load, engine) ? 'loading (warm)' : 'loading', loading],
      ['encoding', phases.encoding],
      ['sampling', steps > 0 ? step : undefined],
      ['decoding', phases.decoding],
      ['finishing', phases.finishing],
    ];
    this.warmModels.set(engine, load.model);
    const folded = measured.flatMap(([measure, seconds]) =>
      seconds === undefined ? [] : this.fold(load, measure, seconds),
    );
    this.changed();
    return folded;
  }

  /** The engine's process is a new one: nothing is loaded. */
  forgetLoaded(engine = 0): void {
    this.warmModels.delete(engine);
    this.changed();
  }

  /** What the phases of a job should take, once it begins: on this engine, or on the one that suits it best. */
  forecast(load: JobLoad, engine?: number): JobForecast {
    const each = (measure: Measure) => this.each(load, measure);
    const finishing = each('decoding') + each('finishing');
    return {
      preparing: each('preparing'),
      loading: each(this.isWarm(load, engine) ? 'loading (warm)' : 'loading'),
      encoding: each('encoding'),
      sampling: each('sampling') * load.steps * load.images + finishing * (load.images - 1),
      decoding: each('decoding'),
      finishing: each('finishing'),
    };
  }

  /** Another number whenever what it says may have changed. */
  get version(): number {
    return this.changes;
  }

  /** Seconds that a whole job should take. */
  seconds(load: JobLoad): number {
    const key = `${load.pixels}/${load.steps}/${load.images}/${load.model}`;
    const known = this.forecasts.get(key);
    if (known !== undefined) return known;
    const total = Object.values(this.forecast(load)).reduce((sum, seconds) => sum + seconds, 0);
    this.forecasts.set(key, total);
    return total;
  }

  summary(): MeasuredSummary {
    const sums = new Map<Measure, { count: number; seconds: number }>();
    for (const { measure, count, meanSeconds } of this.times.values()) {
      const sum = sums.get(measure) ?? { count: 0, seconds: 0 };
      sums.set(measure, { count: sum.count + count, seconds: sum.seconds + count * meanSeconds });
    }
    return Object.fromEntries(
      [...sums].map(([measure, { count, seconds }]) => [measure, { count, meanSeconds: seconds / count }]),
    );
  }

  private changed(): void {
    this.changes++;
    this.forecasts.clear();
  }

  private isWarm({ model }: JobLoad, engine?: number): boolean {
    if (engine !== undefined) return this.warmModels.get(engine) === model;
    return [...this.warmModels.values()].includes(model);
  }

  private fold({ model, pixels }: JobLoad, measure: Measure, seconds: number): MeasuredTime {
    const known = this.times.get(keyOf(model, pixels, measure));
    const count = Math.min((known?.count ?? 0) + 1, MEMORY);
    const mean = known?.meanSeconds ?? seconds;
    const time = { model, pixels, measure, count, meanSeconds: mean + (seconds - mean) / count };
    this.times.set(keyOf(model, pixels, measure), time);
    return time;
  }

  /** The measurement for this model and size; else this model's at another, scaled by area; else a guess. */
  private each({ model, pixels }: JobLoad, measure: Measure): number {
    const exact = this.times.get(keyOf(model, pixels, measure));
    if (exact !== undefined) return exact.meanSeconds;
    const others = [...this.times.values()].filter(
      (time) => time.measure === measure && time.model === model,
    );
    const [nearest] = others.sort((a, b) => Math.abs(a.pixels - pixels) - Math.abs(b.pixels - pixels));
    if (nearest === undefined) return FIRST_GUESS[measure];
    return nearest.meanSeconds * (SCALED.includes(measure) ? pixels / nearest.pixels : 1);
  }
}

function keyOf(model: string, pixels: number, measure: Measure): string {
  return `${model}\n${pixels}\n${measure}`;
}
