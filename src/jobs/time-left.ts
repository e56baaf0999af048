/** Seconds that a job which runs still needs: what history says, and more and more what this run shows. */
import type { JobForecast } from './estimates.js';
import { PHASES, type PhaseReport } from './phases.js';

export class TimeLeft {
  private report: Pick<PhaseReport, 'phase' | 'sampled'> = { phase: 'preparing', sampled: 0 };
  private phaseSince: number;

  constructor(
    private readonly forecast: JobForecast,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.phaseSince = now();
  }

  see(report: PhaseReport): void {
    if (report.phase !== this.report.phase) this.phaseSince = this.now();
    this.report = report;
  }

  /** What history says of the phases to come, and for sampling, more and more as it goes on, what this run shows. */
  seconds(): number {
    const { phase, sampled } = this.report;
    const elapsed = (this.now() - this.phaseSince) / 1000;
    const later = PHASES.slice(PHASES.indexOf(phase) + 1).reduce((sum, next) => sum + this.forecast[next], 0);
    const expected = Math.max(0, this.forecast[phase] - elapsed);
    if (phase !== 'sampling' || sampled === 0) return later + expected;
    const byHistory = this.forecast.sampling * (1 - sampled);
    const byThisRun = (elapsed * (1 - sampled)) / sampled;
    return later + byHistory * (1 - sampled) + byThisRun * sampled;
  }
}
