/**
 * How long jobs take, learned from those that ran: seconds a phase, by model and image area; for sampling, a step. Loading is
 * two things: from the disk, and next to nothing where the engine's last job used the same model. What never ran is estimated by
 * the work that its model takes and the speed of the engine.
 */
import type { CountedWork } from '../engine/picture-work.js';
import { firstEstimate, type FirstEstimate } from './first-estimate.js';
import type { JobLoad } from './job.js';
import type { PhaseTimes } from './phase-clock.js';
import type { Phase } from './phases.js';

export type Measure = Phase | 'loading (warm)';

/** Seconds of a TFLOP; `model` is the engine's number then. */
const TFLOP = 'TFLOP';

/** Seconds that a phase took on average, for a model and image area; for sampling, of one step. */
export interface MeasuredTime {
  readonly model: string;
  readonly pixels: number;
  readonly measure: Measure | typeof TFLOP;
  readonly count: number;
  readonly meanSeconds: number;
}

type PhaseTime = MeasuredTime & { readonly measure: Measure };

/** Means over everything measured. */
export type MeasuredSummary = Readonly<
  Partial<Record<Measure, { readonly count: number; readonly meanSeconds: number }>>
>;

/** Where nothing was measured and no work is known: a small model on a CPU. */
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

/** What a faster device is faster at. */
const COMPUTED: readonly Measure[] = ['encoding', 'sampling', 'decoding'];

/** What two engines of the same kind may differ by when they measure their speed while others work. */
const ALIKE = 1.5;

/** Old measurements fade: the mean is over about this many runs. */
const MEMORY = 10;

/** Models and sizes whose work is kept in mind until they are measured. */
const MAX_WORKS = 1000;

/** Seconds a phase of a whole job; the decoding of all images but the last happens between samplings, and counts there. */
export type JobForecast = Readonly<Record<Phase, number>>;

export class Estimates {
  private readonly times = new Map<string, PhaseTime>();
  private readonly forecasts = new Map<string, number>();
  /** Of an engine. */
  private readonly forecastsOn = new Map<string, number>();
  private readonly works = new Map<string, CountedWork>();
  /** FLOP a second, by engine. */
  private readonly speeds = new Map<number, number>();
  private changes = 0;
  /** By engine: the model that it ran last, so that its weights are loaded. */
  private readonly warmModels = new Map<number, string>();

  /** `engines`: how many there are; an older daemon may have had more. */
  constructor(known: readonly MeasuredTime[], engines = Infinity) {
    for (const { measure, ...time } of known) {
      if (measure === TFLOP) {
        if (Number(time.model) < engines) this.speeds.set(Number(time.model), 1e12 / time.meanSeconds);
      } else this.times.set(keyOf(time.model, time.pixels, measure), { ...time, measure });
    }
  }

  /** An engine has measured how many FLOP a second it does. Returns what is now known, to be made durable. */
  learnSpeed(engine: number, speed: number): MeasuredTime {
    this.speeds.set(engine, speed);
    this.changed();
    return { model: String(engine), pixels: 0, measure: TFLOP, count: 1, meanSeconds: 1e12 / speed };
  }

  /** Whether neither a time of this load's model nor its work is known. */
  isUnknown({ model, pixels }: JobLoad): boolean {
    return !this.works.has(workKey(model, pixels)) && this.nearest(model, pixels, 'sampling') === undefined;
  }

  /** Says what a picture of this load takes, as long as none was measured. */
  expect({ model, pixels }: JobLoad, work: CountedWork): void {
    const [oldest] = this.works.keys();
    if (this.works.size >= MAX_WORKS && oldest !== undefined) this.works.delete(oldest);
    this.works.set(workKey(model, pixels), work);
    this.changed();
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
    const slowness = this.slowness(engine);
    const folded = measured.flatMap(([measure, seconds]) =>
      seconds === undefined
        ? []
        : this.fold(load, measure, COMPUTED.includes(measure) ? seconds / slowness : seconds),
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
    const first = this.first(load);
    const slowness = engine === undefined ? 1 : this.slowness(engine);
    const each = (measure: Measure) =>
      this.each(load, measure, first) * (COMPUTED.includes(measure) ? slowness : 1);
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

  /** Seconds that a whole job should take on an engine. */
  secondsOn(load: JobLoad, engine: number): number {
    const key = `${engine}/${load.pixels}/${load.steps}/${load.images}/${load.model}`;
    const known = this.forecastsOn.get(key);
    if (known !== undefined) return known;
    // Whether a model that isn't named is loaded there, nobody knows.
    const total =
      load.model === ''
        ? this.seconds(load) * this.slowness(engine)
        : Object.values(this.forecast(load, engine)).reduce((sum, seconds) => sum + seconds, 0);
    this.forecastsOn.set(key, total);
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
    this.forecastsOn.clear();
  }

  private isWarm({ model }: JobLoad, engine?: number): boolean {
    if (engine !== undefined) return this.warmModels.get(engine) === model;
    return [...this.warmModels.values()].includes(model);
  }

  private fold({ model, pixels }: JobLoad, measure: Measure, seconds: number): PhaseTime {
    const known = this.times.get(keyOf(model, pixels, measure));
    const count = Math.min((known?.count ?? 0) + 1, MEMORY);
    const mean = known?.meanSeconds ?? seconds;
    const time = { model, pixels, measure, count, meanSeconds: mean + (seconds - mean) / count };
    this.times.set(keyOf(model, pixels, measure), time);
    return time;
  }

  /** The measurement for this model and size; else this model's at another, scaled by area; else the first estimate, or a guess. */
  private each(
    { model, pixels }: JobLoad,
    measure: Measure,
    first: Partial<Record<Measure, number>>,
  ): number {
    const nearest = this.nearest(model, pixels, measure);
    if (nearest === undefined) return first[measure] ?? FIRST_GUESS[measure];
    return nearest.meanSeconds * (SCALED.includes(measure) ? pixels / nearest.pixels : 1);
  }

  private nearest(model: string, pixels: number, measure: Measure): PhaseTime | undefined {
    const exact = this.times.get(keyOf(model, pixels, measure));
    if (exact !== undefined) return exact;
    const others = [...this.times.values()].filter(
      (time) => time.measure === measure && time.model === model,
    );
    return others.sort((a, b) => Math.abs(a.pixels - pixels) - Math.abs(b.pixels - pixels))[0];
  }

  private first({ model, pixels }: JobLoad): Partial<FirstEstimate> {
    const work = this.works.get(workKey(model, pixels));
    const speed = this.fastest;
    return work === undefined || speed === undefined ? {} : firstEstimate(work, speed);
  }

  /** How many times as long an engine takes as the fastest one: times are kept as that one's. */
  private slowness(engine: number): number {
    const ratio = (this.fastest ?? 1) / (this.speeds.get(engine) ?? this.fastest ?? 1);
    return ratio < ALIKE ? 1 : ratio;
  }

  private get fastest(): number | undefined {
    return this.speeds.size === 0 ? undefined : Math.max(...this.speeds.values());
  }
}

function keyOf(model: string, pixels: number, measure: Measure): string {
  return `${model}\n${pixels}\n${measure}`;
}

function workKey(model: string, pixels: number): string {
  return `${model}\n${pixels}`;
}
