/** Measures the phases of one workflow's run, for estimates of later jobs. */
import type { JobEvent } from '../engine-process/messages.js';
import type { Phase } from './phases.js';

/** Seconds that the phases of one workflow took. */
export interface PhaseTimes {
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
  readonly steps: number;
  /** Of the sampling, what went by before its first step was over; weights are loaded then. */
  readonly firstStep: number;
}

export class PhaseClock {
  private readonly phases: Partial<Record<Phase, number>> = {};
  private steps = 0;
  private startedAt = 0;
  private samplingSince: number | undefined;
  private firstStep = 0;
  private nodeMs = 0;
  /** Work of no kind of its own counts as preparation up to the first sampler, and as finishing after it. */
  private unnamed: Phase = 'preparing';

  /** Returns the times when the run has come to its end. */
  see(event: JobEvent): PhaseTimes | undefined {
    switch (event.type) {
      case 'workflow_start':
        this.startedAt = event.at;
        return undefined;
      case 'executing':
        if (event.work === 'sampling') this.samplingSince ??= event.at;
        return undefined;
      case 'progress':
        if (event.work !== 'sampling') return undefined;
        if (this.steps++ === 0) this.firstStep = event.at - (this.samplingSince ?? event.at);
        return undefined;
      case 'executed':
        if (!event.cached) this.addNode(event.work, event.ms);
        return undefined;
      case 'execution_success':
        this.add('preparing', Math.max(0, event.at - this.startedAt - this.nodeMs));
        return { phases: this.phases, steps: this.steps, firstStep: this.firstStep / 1000 };
      default:
        return undefined;
    }
  }

  private addNode(phase: Phase | undefined, ms: number): void {
    if (phase === 'sampling') this.unnamed = 'finishing';
    this.nodeMs += ms;
    this.add(phase ?? this.unnamed, ms);
  }

  private add(phase: Phase, ms: number): void {
    this.phases[phase] = (this.phases[phase] ?? 0) + ms / 1000;
  }
}
