/**
 * How long jobs take, learned from those that ran: seconds a stage, by model and image area; for sampling, a step. Loading is
 * two things: from the disk, and next to nothing where the job before used the same model.
 */
import type { JobLoad } from '../engine-process/job.js';
import type { ImageTimes } from '../engine-process/messages.js';
import type { Stage } from '../wire/protocol.js';
import type { StageTime } from './journal-database.js';

type Measure = Stage | 'loading_models (warm)';

/** Before anything was measured: a small model on a CPU. */
const FIRST_GUESS: Readonly<Record<Measure, number>> = {
  initializing: 0.05,
  loading_models: 5,
  'loading_models (warm)': 0.05,
  encoding: 0.3,
  sampling: 1,
  decoding: 1,
  post_processing: 0.1,
};

/** What grows with the image's area. */
const SCALED: readonly Measure[] = ['sampling', 'decoding', 'post_processing'];

/** Old measurements fade: the mean is over about this many runs. */
const MEMORY = 10;

/** Seconds a stage of a whole job; the decoding of all images but the last happens between samplings, and counts there. */
export type JobForecast = Readonly<Record<Stage, number>>;

export class Estimates {
  private readonly times = new Map<string, StageTime>();
  private forecasts = new Map<string, number>();
  /** The model that the engine ran last, so that its weights are loaded. */
  private warmModel: string | undefined;

  constructor(known: readonly StageTime[]) {
    for (const time of known) this.times.set(keyOf(time.model, time.pixels, time.stage), time);
  }

  /** Folds in what one image of a job took and returns what is now known, to be made durable. */
  learn(load: JobLoad, { stages, steps, firstStep }: ImageTimes): readonly StageTime[] {
    const sampling = stages.sampling ?? 0;
    // The first step also loads the weights that nothing needed before it.
    const step = steps > 1 ? (sampling - firstStep) / (steps - 1) : sampling;
    const loading = (stages.loading_models ?? 0) + Math.max(0, firstStep - step);
    const measured: readonly (readonly [Measure, number | undefined])[] = [
      ['initializing', stages.initializing],
      [this.isWarm(load) ? 'loading_models (warm)' : 'loading_models', loading],
      ['encoding', stages.encoding],
      ['sampling', steps > 0 ? step : undefined],
      ['decoding', stages.decoding],
      ['post_processing', stages.post_processing],
    ];
    this.warmModel = load.model;
    this.forecasts.clear();
    return measured.flatMap(([measure, seconds]) =>
      seconds === undefined ? [] : this.fold(load, measure, seconds),
    );
  }

  /** The engine process is a new one: nothing is loaded. */
  forgetLoaded(): void {
    this.warmModel = undefined;
    this.forecasts.clear();
  }

  /** What the stages of a job should take, once it begins. */
  forecast(load: JobLoad): JobForecast {
    const each = (measure: Measure) => this.each(load, measure);
    const finishing = each('decoding') + each('post_processing');
    return {
      initializing: each('initializing'),
      loading_models: each(this.isWarm(load) ? 'loading_models (warm)' : 'loading_models'),
      encoding: each('encoding'),
      sampling: each('sampling') * load.steps * load.images + finishing * (load.images - 1),
      decoding: each('decoding'),
      post_processing: each('post_processing'),
    };
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

  /** Means over everything measured, for `status`. */
  summary(): Record<string, { readonly count: number; readonly mean_s: number }> {
    const sums = new Map<string, { count: number; seconds: number }>();
    for (const { stage, count, meanSeconds } of this.times.values()) {
      const sum = sums.get(stage) ?? { count: 0, seconds: 0 };
      sums.set(stage, { count: sum.count + count, seconds: sum.seconds + count * meanSeconds });
    }
    return Object.fromEntries(
      [...sums].map(([stage, { count, seconds }]) => [stage, { count, mean_s: seconds / count }]),
    );
  }

  private isWarm({ model }: JobLoad): boolean {
    return model === this.warmModel;
  }

  private fold({ model, pixels }: JobLoad, stage: Measure, seconds: number): StageTime {
    const known = this.times.get(keyOf(model, pixels, stage));
    const count = Math.min((known?.count ?? 0) + 1, MEMORY);
    const mean = known?.meanSeconds ?? seconds;
    const time = { model, pixels, stage, count, meanSeconds: mean + (seconds - mean) / count };
    this.times.set(keyOf(model, pixels, stage), time);
    return time;
  }

  /** The measurement for this model and size; else this model's at another, scaled by area; else a guess. */
  private each({ model, pixels }: JobLoad, measure: Measure): number {
    const exact = this.times.get(keyOf(model, pixels, measure));
    if (exact !== undefined) return exact.meanSeconds;
    const others = [...this.times.values()].filter((time) => time.stage === measure && time.model === model);
    const [nearest] = others.sort((a, b) => Math.abs(a.pixels - pixels) - Math.abs(b.pixels - pixels));
    if (nearest === undefined) return FIRST_GUESS[measure];
    return nearest.meanSeconds * (SCALED.includes(measure) ? pixels / nearest.pixels : 1);
  }
}

function keyOf(model: string, pixels: number, stage: string): string {
  return `${model}\n${pixels}\n${stage}`;
}
