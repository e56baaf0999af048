/** A job that an engine has: how far it is, and what its events come to. */
import type { JobEvent } from '../engine-process/messages.js';
import { shorten } from '../safe-text.js';
import type { AttemptFolder } from './attempt-folder.js';
import type { Estimates } from './estimates.js';
import type { JobNotices } from './events.js';
import type { JobOutcome, Milestone, QueuedJob } from './job.js';
import { PhaseClock, type PhaseTimes } from './phase-clock.js';
import { PhaseTracker } from './phases.js';
import { TimeLeft } from './time-left.js';

/** Characters of an error, whatever an engine process says: it goes to the journal, the log and every client. */
const MAX_ERROR = 8000;

/** Of a job with many workflows, those of the first are kept. */
const MAX_MILESTONES = 100;

export interface ActiveJobOptions {
  readonly job: QueuedJob;
  /** Which engine has it first. */
  readonly engine: number;
  readonly estimates: Estimates;
  readonly notices: JobNotices;
  /** Told what each of the job's workflows took. */
  readonly onTimes: (times: PhaseTimes) => void;
}

export class ActiveJob {
  readonly cancellation = new AbortController();
  /** Its outcome is on its way to the journal; too late to cancel. */
  settling = false;
  /** Which engine has it. */
  engine: number;
  /** Of its last attempt. */
  folder: AttemptFolder | undefined;
  private readonly began = performance.now();
  private readonly timeLeft: TimeLeft;
  private tracker: PhaseTracker;
  private clock = new PhaseClock();
  private milestones: Milestone[] = [];

  constructor(private readonly options: ActiveJobOptions) {
    const { job, engine, estimates } = options;
    this.engine = engine;
    this.timeLeft = new TimeLeft(estimates.forecast(job.load, engine));
    this.tracker = this.createTracker();
  }

  get job(): QueuedJob {
    return this.options.job;
  }

  get id(): string {
    return this.options.job.id;
  }

  get isCancelled(): boolean {
    return this.cancellation.signal.aborted;
  }

  /** What it should still take; 0 for one that is cancelled. */
  get secondsLeft(): number {
    return this.isCancelled ? 0 : this.timeLeft.seconds();
  }

  /** Another attempt begins where the first one did. */
  beginAttempt(): void {
    this.milestones = [];
    this.tracker = this.createTracker();
  }

  see(event: JobEvent): void {
    const { job, notices, onTimes } = this.options;
    notices.tell({ kind: 'event', job, event });
    this.tracker.see(event);
    if (isMilestone(event) && this.milestones.length < MAX_MILESTONES) this.milestones.push(event);
    if (event.type === 'workflow_start') this.clock = new PhaseClock();
    const times = this.clock.see(event);
    if (times !== undefined) onTimes(times);
  }

  /** Its end, after so long. */
  outcome(
    state: JobOutcome['state'],
    { outputs = [], error, ...rest }: Partial<Pick<JobOutcome, 'outputs' | 'error' | 'failure'>>,
  ): JobOutcome {
    const told = error === undefined ? {} : { error: shorten(error, MAX_ERROR) };
    const { milestones } = this;
    const durationSeconds = (performance.now() - this.began) / 1000;
    return { state, outputs, ...rest, ...told, milestones, durationSeconds };
  }

  private createTracker(): PhaseTracker {
    const { job, notices } = this.options;
    return new PhaseTracker({
      workflows: job.load.images,
      steps: job.load.steps,
      report: (report) => {
        this.timeLeft.see(report);
        notices.tell({ kind: 'progress', job, report, secondsLeft: this.timeLeft.seconds() });
      },
    });
  }
}

function isMilestone(event: JobEvent): event is Milestone {
  return event.type.startsWith('execution_');
}
