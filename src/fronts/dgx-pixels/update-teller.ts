/** Tells subscribers of jobs, in the protocol's updates. */
import type { JobNotice } from '../../jobs/events.js';
import type { JobOutcome } from '../../jobs/job.js';
import { safeText } from '../../safe-text.js';
import { imagePathOf, outputFiles } from './image-path.js';
import { StageProgress } from './stage-progress.js';
import type { Update } from './wire/protocol.js';

export class UpdateTeller {
  /** Of the jobs that run, by id. */
  private readonly progress = new Map<string, StageProgress>();

  /** `noteTold` makes durable how much of a job may be told is done. */
  constructor(
    private readonly publish: (update: Update) => void,
    private readonly noteTold: (id: string, share: number) => Promise<boolean>,
  ) {}

  /** How far a running job is; 0 when none of that id runs. */
  percentOf(id: string): number {
    return this.progress.get(id)?.percentDone ?? 0;
  }

  hear(notice: JobNotice): void {
    const { id, load } = notice.job;
    switch (notice.kind) {
      case 'accepted':
        break;
      case 'started':
        this.progress.set(id, new StageProgress(id, load, notice.told, (share) => this.noteTold(id, share)));
        this.publish({ type: 'job_started', job_id: id, timestamp: Math.floor(notice.at / 1000) });
        break;
      case 'progress': {
        const update = this.progress.get(id)?.update(notice.report, notice.secondsLeft);
        if (update !== undefined) this.publish(update);
        break;
      }
      case 'event':
        if (notice.event.type !== 'preview') break;
        this.publish({
          type: 'preview',
          job_id: id,
          image_path: notice.event.path,
          step: notice.event.step,
        });
        break;
      case 'returned':
        this.progress.delete(id);
        break;
      case 'over':
        this.tellEnd(id, notice.outcome);
        this.progress.delete(id);
        break;
    }
  }

  private tellEnd(id: string, outcome: JobOutcome): void {
    const { state, error, durationSeconds } = outcome;
    const progress = this.progress.get(id);
    const success = state === 'completed';
    if (success && progress !== undefined) this.publish(progress.complete());
    this.publish({ type: 'job_finished', job_id: id, success, duration_s: durationSeconds });
    if (!success) {
      this.publish({ type: 'job_error', job_id: id, error: safeText(error ?? state) });
      return;
    }
    const outputs = outputFiles(outcome.outputs);
    // A workflow of the client's own may have made something else.
    const path = imagePathOf(outcome.outputs) ?? outputs[0]?.file ?? '';
    this.publish({
      type: 'job_complete',
      job_id: id,
      image_path: path,
      duration_s: durationSeconds,
      outputs,
    });
  }
}
