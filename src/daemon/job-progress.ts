/** Turns what the engine reports into the protocol's `progress`: never falling, not too often, ending at 100. */
import type { JobLoad } from '../engine-process/job.js';
import type { StageReport } from '../engine-process/messages.js';
import { STAGES, type Stage, type Update } from '../wire/protocol.js';
import type { JobForecast } from './estimates.js';

/** Percent of a job that each stage is, as the protocol has it. */
const SHARES: Readonly<Record<Stage, number>> = {
  initializing: 2,
  loading_models: 10,
  encoding: 3,
  sampling: 80,
  decoding: 4,
  post_processing: 1,
};

/**
 * Milliseconds between two steps that are told. Of the 30 updates a second that a job may have, 16 are steps; the rest is for
 * stages, previews, and the messages at its ends.
 */
const STEP_INTERVAL_MS = 1000 / 16;

export class JobProgress {
  private percent = 0;
  private lastTold = -Infinity;
  private report: StageReport = { stage: 'initializing', step: 0, totalSteps: 0, sampled: 0 };
  private stageSince: number;

  constructor(
    private readonly id: string,
    private readonly load: JobLoad,
    private readonly forecast: JobForecast,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.stageSince = now();
  }

  /** How far the job is. */
  get percentDone(): number {
    return this.percent;
  }

  /** The update to publish for a report; undefined for a step too soon after the last. */
  update(report: StageReport): Update | undefined {
    const now = this.now();
    const entered = report.stage !== this.report.stage;
    if (entered) this.stageSince = now;
    this.report = report;
    this.percent = Math.max(this.percent, percentAt(report));
    if (!entered && now - this.lastTold < STEP_INTERVAL_MS) return undefined;
    this.lastTold = now;
    return this.message(this.remainingSeconds());
  }

  /** The last update of a job that succeeded. */
  complete(): Update {
    this.percent = 100;
    this.report = { ...this.report, stage: 'post_processing', step: this.report.totalSteps };
    return this.message(0);
  }

  /** What history says of the stages to come, and for sampling, more and more as it goes on, what this run shows. */
  remainingSeconds(): number {
    const { stage, sampled } = this.report;
    const elapsed = (this.now() - this.stageSince) / 1000;
    const later = STAGES.slice(STAGES.indexOf(stage) + 1).reduce((sum, next) => sum + this.forecast[next], 0);
    const expected = Math.max(0, this.forecast[stage] - elapsed);
    if (stage !== 'sampling' || sampled === 0) return later + expected;
    const byHistory = this.forecast.sampling * (1 - sampled);
    const byThisRun = (elapsed * (1 - sampled)) / sampled;
    return later + byHistory * (1 - sampled) + byThisRun * sampled;
  }

  private message(eta: number): Update {
    const { stage, step, totalSteps } = this.report;
    return {
      type: 'progress',
      job_id: this.id,
      stage,
      step,
      total_steps: totalSteps === 0 ? this.load.steps * this.load.images : totalSteps,
      percent: this.percent,
      eta_s: eta,
    };
  }
}

/** The shares of the stages before, and of sampling what is done of it. */
function percentAt({ stage, sampled }: StageReport): number {
  const before = STAGES.slice(0, STAGES.indexOf(stage)).reduce((sum, earlier) => sum + SHARES[earlier], 0);
  return before + (stage === 'sampling' ? SHARES.sampling * Math.min(1, sampled) : 0);
}
