/** A discrete-event model of queue, model loads and devices: time leaps from one event to the next. */
import { Devices, type SimulatedDevice } from './devices.js';
import { EventHeap } from './event-heap.js';
import { Draws } from './random.js';
import { workOf, type Scenario } from './scenario.js';
import { WaitingJobs, type WaitingJob } from './waiting.js';

export interface SimulationResult {
  readonly jobs: number;
  /** Seconds from a job's arrival to the start that came to its end. */
  readonly waiting: Quantiles;
  /** Seconds from arrival to end. */
  readonly total: Quantiles;
  /** Shares of the time of devices that are on. */
  readonly busy: number;
  readonly loading: number;
  readonly loads: number;
  readonly deaths: number;
  readonly longestQueue: number;
  /** Mean number of devices that are on. */
  readonly devices: number;
  /** Simulated. */
  readonly seconds: number;
}

export interface Quantiles {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

type SimulationEvent =
  | { readonly kind: 'arrival' }
  | {
      readonly kind: 'end';
      readonly device: SimulatedDevice;
      readonly job: WaitingJob;
      readonly startedAt: number;
    }
  | { readonly kind: 'death'; readonly device: SimulatedDevice; readonly job: WaitingJob }
  | { readonly kind: 'return'; readonly job: WaitingJob }
  | { readonly kind: 'up'; readonly device: SimulatedDevice }
  | { readonly kind: 'scale' };

const DAY = 86_400;

export function simulate(scenario: Scenario): SimulationResult {
  return new Simulation(scenario).run();
}

class Simulation {
  private readonly draws: Draws;
  private readonly events = new EventHeap<SimulationEvent>();
  private readonly waiting: WaitingJobs;
  private readonly devices: Devices;
  private readonly shares: readonly number[];
  private readonly waits: Float64Array;
  private readonly totals: Float64Array;
  private counted = 0;
  private done = 0;
  private arrived = 0;
  private now = 0;
  private measured = { since: 0, busy: 0, loading: 0, on: 0, loads: 0, deaths: 0 };
  private onCount = 0;
  private changedAt = 0;
  private longestQueue = 0;
  private wishes: { readonly at: number; readonly devices: number }[] = [];

  constructor(private readonly scenario: Scenario) {
    const { devices, models, kept, jobs, seed } = scenario;
    this.draws = new Draws(seed);
    this.waiting = new WaitingJobs(models.length);
    this.devices = new Devices(devices, models.length, kept);
    const whole = models.reduce((sum, { share }) => sum + share, 0);
    let sum = 0;
    this.shares = models.map(({ share }) => (sum += share / whole));
    this.waits = new Float64Array(jobs);
    this.totals = new Float64Array(jobs);
  }

  run(): SimulationResult {
    const { scaling, devices, jobs } = this.scenario;
    const on = scaling === undefined ? devices : Math.min(devices, scaling.least);
    for (const device of this.devices.all.slice(0, on)) {
      this.countOn(1);
      this.devices.release(device);
    }
    if (scaling !== undefined) this.events.push(scaling.interval, { kind: 'scale' });
    this.events.push(this.nextArrival(), { kind: 'arrival' });
    while (this.done < jobs) {
      const next = this.events.pop();
      if (next === undefined) throw new Error('jobs wait, and nothing will happen any more');
      this.now = next.time;
      this.happen(next.event);
    }
    this.countOn(0);
    const { since, busy, loading, on: onSeconds, loads, deaths } = this.measured;
    return {
      jobs: this.counted,
      waiting: quantiles(this.waits.subarray(0, this.counted)),
      total: quantiles(this.totals.subarray(0, this.counted)),
      busy: busy / onSeconds,
      loading: loading / onSeconds,
      loads,
      deaths,
      longestQueue: this.longestQueue,
      devices: onSeconds / (this.now - since),
      seconds: this.now,
    };
  }

  private happen(event: SimulationEvent): void {
    switch (event.kind) {
      case 'arrival': {
        this.arrive();
        return;
      }
      case 'end': {
        this.end(event);
        return;
      }
      case 'death': {
        this.measured.deaths++;
        this.devices.switchOff(event.device);
        event.device.state = 'starting';
        this.events.push(this.now + this.scenario.restart, { kind: 'up', device: event.device });
        this.events.push(this.now + this.scenario.takeOver, { kind: 'return', job: event.job });
        return;
      }
      case 'return':
        this.waiting.putBack(event.job);
        {
          this.giveOut();
          return;
        }
      case 'up': {
        this.next(event.device);
        return;
      }
      case 'scale': {
        this.scale();
        return;
      }
    }
  }

  private arrive(): void {
    const { models, variation, jobs } = this.scenario;
    const drawn = this.draws.uniform();
    const model = Math.max(
      0,
      this.shares.findIndex((share) => drawn < share),
    );
    const mean = workOf(models[model]!);
    const work =
      variation === 'exponential' ? this.draws.exponential(mean) : this.draws.lognormal(mean, variation);
    this.waiting.push({ arrived: this.now, sequence: this.arrived++, model, work });
    if (this.arrived < jobs) this.events.push(this.nextArrival(), { kind: 'arrival' });
    this.giveOut();
    this.longestQueue = Math.max(this.longestQueue, this.waiting.size);
  }

  /** Poisson arrivals at the day's mean rate, or under its sine: those of the peak's rate, thinned out. */
  private nextArrival(): number {
    const { jobsADay, peak } = this.scenario;
    const highest = (jobsADay / DAY) * peak;
    for (let at = this.now; ;) {
      at += this.draws.exponential(1 / highest);
      const rate = (jobsADay / DAY) * (1 + (peak - 1) * Math.sin((2 * Math.PI * at) / DAY));
      if (peak === 1 || this.draws.uniform() * highest < rate) return at;
    }
  }

  /** The oldest job that waits, where a device is free for it. Free devices and waiting jobs never are at once. */
  private giveOut(): void {
    const job = this.waiting.oldest();
    if (job === undefined) return;
    const warm = this.scenario.placement === 'warm' ? this.devices.take(job.model) : undefined;
    const device = warm ?? this.devices.take(undefined);
    if (device === undefined) return;
    this.waiting.take(job);
    this.start(device, job);
  }

  /** A device that is free takes the oldest job that it has the model of, unless another has lost its patience. */
  private next(device: SimulatedDevice): void {
    const oldest = this.waiting.oldest();
    if (oldest === undefined) {
      this.devices.release(device);
      return;
    }
    const isImpatient = this.now - oldest.arrived > this.scenario.patience;
    const warm =
      this.scenario.placement === 'any' || isImpatient ? undefined : this.waiting.oldest(device.models);
    const job = warm ?? oldest;
    this.waiting.take(job);
    device.state = 'busy';
    device.stamp++;
    this.start(device, job);
  }

  private start(device: SimulatedDevice, job: WaitingJob): void {
    const { models, overhead, hoursBetweenDeaths } = this.scenario;
    const loads = this.devices.use(device, job.model);
    const loading = loads ? models[job.model]!.stages.loading : 0;
    const work = loading + job.work;
    const deathAfter =
      hoursBetweenDeaths === undefined ? Infinity : this.draws.exponential(hoursBetweenDeaths * 3600);
    const lasts = Math.min(work, deathAfter);
    this.measured.busy += lasts + overhead;
    this.measured.loading += Math.min(loading, lasts);
    if (loads) this.measured.loads++;
    if (deathAfter < work) this.events.push(this.now + deathAfter, { kind: 'death', device, job });
    else this.events.push(this.now + work + overhead, { kind: 'end', device, job, startedAt: this.now });
  }

  private end({ device, job, startedAt }: Extract<SimulationEvent, { kind: 'end' }>): void {
    const { jobs, settling } = this.scenario;
    this.done++;
    if (this.done === Math.floor(jobs * settling)) this.beginToCount();
    if (job.sequence >= jobs * settling) {
      this.waits[this.counted] = startedAt - job.arrived;
      this.totals[this.counted] = this.now - job.arrived;
      this.counted++;
    }
    this.next(device);
  }

  private beginToCount(): void {
    this.measured = { since: this.now, busy: 0, loading: 0, on: 0, loads: 0, deaths: 0 };
    this.changedAt = this.now;
    this.longestQueue = this.waiting.size;
  }

  /** ceil(lag / target), as the autoscaler wishes; less is done only once it was wished for so long. */
  private scale(): void {
    const { least, lag, interval, start, cooldown } = this.scenario.scaling!;
    const wish = Math.min(this.scenario.devices, Math.max(least, Math.ceil(this.waiting.size / lag)));
    this.wishes = [
      ...this.wishes.filter(({ at }) => at > this.now - cooldown),
      { at: this.now, devices: wish },
    ];
    const wanted = Math.max(...this.wishes.map(({ devices }) => devices));
    for (const device of this.devices.all) {
      if (this.onCount >= wanted) break;
      if (device.state !== 'off') continue;
      device.state = 'starting';
      this.countOn(1);
      this.events.push(this.now + start, { kind: 'up', device });
    }
    for (const device of this.devices.all) {
      if (this.onCount <= wanted) break;
      // One that works would finish first: only free ones go.
      if (device.state !== 'free') continue;
      this.devices.switchOff(device);
      this.countOn(-1);
    }
    this.events.push(this.now + interval, { kind: 'scale' });
  }

  private countOn(change: number): void {
    this.measured.on += this.onCount * (this.now - this.changedAt);
    this.changedAt = this.now;
    this.onCount += change;
  }
}

function quantiles(values: Float64Array): Quantiles {
  const sorted = values.slice().sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return { mean, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
