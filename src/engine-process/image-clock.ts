/** Measures the stages of one image's run, for estimates of later jobs. */
import type { Stage } from '../wire/protocol.js';
import type { NodeTiming, RunEvent } from '../workflow/events.js';
import type { StageOfClass } from './job-stages.js';
import type { ImageTimes } from './messages.js';

export class ImageClock {
  private steps = 0;
  private samplingSince: number | undefined;
  private firstStep: number | undefined;

  constructor(private readonly stageOf: StageOfClass) {}

  see(event: RunEvent): void {
    if (event.type === 'executing' && this.stageOf(event.class_type) === 'sampling') {
      this.samplingSince ??= performance.now();
    } else if (event.type === 'progress' && this.stageOf(event.class_type) === 'sampling') {
      this.steps++;
      this.firstStep ??= performance.now() - (this.samplingSince ?? performance.now());
    }
  }

  /** Work without a stage of its own counts as preparation up to the first sampler, and as finishing after it. */
  times(timings: readonly NodeTiming[], ms: number): ImageTimes {
    const stages: Partial<Record<Stage, number>> = {};
    let between = ms;
    let unnamed: Stage = 'initializing';
    for (const { class_type, ms: nodeMs } of timings) {
      const stage = this.stageOf(class_type);
      if (stage === 'sampling') unnamed = 'post_processing';
      between -= nodeMs;
      add(stages, stage ?? unnamed, nodeMs);
    }
    add(stages, 'initializing', Math.max(0, between));
    return { stages, steps: this.steps, firstStep: (this.firstStep ?? 0) / 1000 };
  }
}

function add(stages: Partial<Record<Stage, number>>, stage: Stage, ms: number): void {
  stages[stage] = (stages[stage] ?? 0) + ms / 1000;
}
