/** How far A1111's clients' job is, as they ask for it (modules/shared_state.py, modules/api/api.py, progressapi). */
import type { JobNotice } from '../../jobs/events.js';

export interface ProgressState {
  readonly skipped: boolean;
  readonly interrupted: boolean;
  readonly stopping_generation: boolean;
  readonly job: string;
  readonly job_count: number;
  readonly job_timestamp: string;
  readonly job_no: number;
  readonly sampling_step: number;
  readonly sampling_steps: number;
}

export interface ProgressReply {
  readonly progress: number;
  readonly eta_relative: number;
  readonly state: ProgressState;
  readonly current_image: string | null;
  readonly textinfo: string | null;
}

interface Running {
  readonly id: string;
  readonly kind: string;
  /** Samplings that it will come to. */
  readonly samplings: number;
  startedAt: number;
  doneSamplings: number;
  step: number;
  steps: number;
  secondsLeft: number;
  preview: string | undefined;
  interrupted: boolean;
}

/** Knows the jobs that run; the one that began first is told of, as A1111 has but one. */
export class ProgressBoard {
  private readonly running: Running[] = [];
  private lastStamp = '0';

  /** What a job's notices are given to. */
  follow(id: string, kind: string, samplings: number): (notice: JobNotice) => void {
    const job: Running = {
      id,
      kind,
      samplings,
      startedAt: 0,
      doneSamplings: 0,
      step: 0,
      steps: 0,
      secondsLeft: 0,
      preview: undefined,
      interrupted: false,
    };
    return (notice) => {
      this.hear(job, notice);
    };
  }

  /** The job that is told of. */
  get current(): string | undefined {
    return this.running[0]?.id;
  }

  /** Notes that it was told to stop. */
  interrupt(): void {
    if (this.running[0] !== undefined) this.running[0].interrupted = true;
  }

  /** The picture of how it comes about, where there is one. */
  get preview(): string | undefined {
    return this.running[0]?.preview;
  }

  /** Without the picture. */
  report(): ProgressReply {
    const job = this.running[0];
    if (job === undefined) {
      const state = stateOf(undefined, this.lastStamp);
      return { progress: 0, eta_relative: 0, state, current_image: null, textinfo: null };
    }
    const share = job.steps === 0 ? 0 : job.step / job.steps;
    return {
      progress: Math.min(1, 0.01 + (job.doneSamplings + share) / job.samplings),
      eta_relative: job.secondsLeft,
      state: stateOf(job, stamp(job.startedAt)),
      current_image: null,
      textinfo: null,
    };
  }

  private hear(job: Running, notice: JobNotice): void {
    switch (notice.kind) {
      case 'accepted':
        break;
      case 'started':
        job.startedAt = notice.at;
        this.running.push(job);
        break;
      case 'progress':
        job.secondsLeft = notice.secondsLeft;
        break;
      case 'event':
        hearEvent(job, notice.event);
        break;
      case 'returned':
      case 'over': {
        const index = this.running.indexOf(job);
        if (index >= 0) this.running.splice(index, 1);
        this.lastStamp = stamp(job.startedAt);
      }
    }
  }
}

function hearEvent(job: Running, event: Extract<JobNotice, { kind: 'event' }>['event']): void {
  if (event.type === 'preview') job.preview = event.path;
  if (event.type === 'progress' && event.work === 'sampling') {
    job.step = event.step;
    job.steps = event.total_steps;
  }
  if (event.type === 'executed' && event.work === 'sampling') {
    job.doneSamplings = Math.min(job.samplings, job.doneSamplings + 1);
    job.step = 0;
  }
}

function stateOf(job: Running | undefined, job_timestamp: string): ProgressState {
  return {
    skipped: false,
    interrupted: job?.interrupted ?? false,
    stopping_generation: false,
    job: job?.kind ?? '',
    job_count: job?.samplings ?? 0,
    job_timestamp,
    job_no: job?.doneSamplings ?? 0,
    sampling_step: job?.step ?? 0,
    sampling_steps: job?.steps ?? 0,
  };
}

/** `20261130193500`, of local time. */
function stamp(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  return [
    date.getFullYear(),
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
    date.getSeconds(),
  ]
    .map(two)
    .join('');
}
