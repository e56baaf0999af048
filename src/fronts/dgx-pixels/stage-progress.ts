/** Turns how far a job is into the protocol's `progress`: never falling, not too often, ending at 100. */
import type { JobLoad } from '../../jobs/job.js';
import type { PhaseReport } from '../../jobs/phases.js';
import { STAGE_OF_PHASE } from './stages.js';
import { STAGES, type Stage, type Update } from './wire/protocol.js';

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

/**
 * Percent never fall, for no restart either: what is told stays below a ceiling that is on disk before, and a later daemon begins
 * there. Ceilings are so many percent apart; beyond the last one, only the end is told.
 */
const CEILING_STEP = 20;
const LAST_CEILING = 99;

export class StageProgress {
  private percent: number;
  private ceiling: number;
  private raising = false;
  private lastTold = -Infinity;
  private report: PhaseReport = { phase: 'preparing', step: 0, totalSteps: 0, sampled: 0 };

  constructor(
    private readonly id: string,
    private readonly load: JobLoad,
    told: number,
    /** Makes durable how much may be told. */
    private readonly noteTold: (share: number) => Promise<boolean>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.percent = told * 100;
    this.ceiling = this.percent;
  }

  /** How far the job is. */
  get percentDone(): number {
    return this.percent;
  }

  /** The update to publish for a report; undefined for a step too soon after the last. */
  update(report: PhaseReport, secondsLeft: number): Update | undefined {
    const now = this.now();
    const entered = report.phase !== this.report.phase;
    this.report = report;
    const reached = percentAt(report);
    if (reached >= this.ceiling && this.ceiling < LAST_CEILING) void this.raise(reached);
    this.percent = Math.max(this.percent, Math.min(reached, this.ceiling));
    if (!entered && now - this.lastTold < STEP_INTERVAL_MS) return undefined;
    this.lastTold = now;
    return this.message(secondsLeft);
  }

  /** The last update of a job that succeeded. */
  complete(): Update {
    this.percent = 100;
    this.report = { ...this.report, phase: 'finishing', step: this.report.totalSteps };
    return this.message(0);
  }

  private async raise(reached: number): Promise<void> {
    if (this.raising) return;
    this.raising = true;
    const next = Math.min(LAST_CEILING, (Math.floor(reached / CEILING_STEP) + 1) * CEILING_STEP);
    if (await this.noteTold(next / 100)) this.ceiling = next;
    this.raising = false;
  }

  private message(eta: number): Update {
    const { phase, step, totalSteps } = this.report;
    return {
      type: 'progress',
      job_id: this.id,
      stage: STAGE_OF_PHASE[phase],
      step,
      total_steps: totalSteps === 0 ? this.load.steps * this.load.images : totalSteps,
      percent: this.percent,
      eta_s: eta,
    };
  }
}

/** The shares of the stages before, and of sampling what is done of it. */
function percentAt({ phase, sampled }: PhaseReport): number {
  const stage = STAGE_OF_PHASE[phase];
  const before = STAGES.slice(0, STAGES.indexOf(stage)).reduce((sum, earlier) => sum + SHARES[earlier], 0);
  return before + (stage === 'sampling' ? SHARES.sampling * Math.min(1, sampled) : 0);
}
