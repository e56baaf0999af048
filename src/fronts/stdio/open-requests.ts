/** Requests that wait for their jobs, or whose jobs run. */
import { randomUUID } from 'node:crypto';
import type { JobNotice } from '../../jobs/events.js';
import type { Job, JobOutcome } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import type { SavedFile } from '../../nodes/results.js';
import { describeReport } from '../../workflow/faults.js';
import { submitAndFollow } from '../follow-job.js';
import type { FrontOptions } from '../front.js';
import type { Asked, RequestId } from './envelope.js';
import { StdioFault } from './fault.js';

export const FRONT = 'stdio';

type Task = Pick<Job, 'task' | 'load'>;

interface OpenRequest {
  readonly job: string;
  readonly id: RequestId | undefined;
  state: 'queued' | 'running';
}

/** Hears how far a request is. */
export type Hear = (facts: object) => void;

export class OpenRequests {
  private readonly open = new Set<OpenRequest>();

  constructor(private readonly house: Pick<FrontOptions, 'jobs' | 'checker'>) {}

  /** Those that wait or run now. */
  get list(): readonly OpenRequest[] {
    return [...this.open];
  }

  /** Runs a job to its end. Throws `StdioFault` for what can't run, failed, or was cancelled. */
  async run(
    { task, load }: Task,
    id: RequestId | undefined,
    hear: Hear,
  ): Promise<{
    readonly files: readonly SavedFile[];
    /** What nodes showed. */
    readonly texts: readonly string[];
    readonly seconds: number;
    readonly warnings: readonly string[];
  }> {
    const { jobs, checker } = this.house;
    if (jobs.isStopping) throw new StdioFault('stopping', 'the worker stops');
    const report = await checker.check(task.workflow);
    if (report !== undefined) throw new StdioFault('invalid_workflow', describeReport(report));
    const open: OpenRequest = { job: randomUUID(), id, state: 'queued' };
    const warnings: string[] = [];
    const job = { id: open.job, client: { front: FRONT }, priority: 0, task, load, metadata: {} };
    this.open.add(open);
    try {
      const followed = await submitAndFollow(jobs, job, (notice) => {
        see(notice, open, warnings, hear);
      });
      const outcome = await followed.over;
      const texts = outcome.outputs.flatMap(({ ui }) => ui.text ?? []);
      return { files: filesOf(outcome), texts, seconds: outcome.durationSeconds, warnings };
    } catch (cause) {
      throw cause instanceof Refusal ? new StdioFault('refused', cause.message) : cause;
    } finally {
      this.open.delete(open);
    }
  }

  /** By the id of a request; without one, whatever runs or waits. */
  async cancel({ parameters }: Asked): Promise<object> {
    const wanted = ['correlation_id', 'request_id', 'target', 'id', 'session_id']
      .map((name) => parameters[name])
      .find((value) => typeof value === 'string' || typeof value === 'number');
    const chosen = [...this.open].filter(
      ({ id }) => wanted === undefined || (id !== undefined && String(id.value) === String(wanted)),
    );
    const done = await Promise.all(chosen.map(({ job }) => this.house.jobs.cancel(job)));
    return { cancelled: done.filter(Boolean).length };
  }
}

function see(notice: JobNotice, open: OpenRequest, warnings: string[], hear: Hear): void {
  if (notice.kind === 'started') open.state = 'running';
  if (notice.kind === 'event' && notice.event.type === 'warning') warnings.push(notice.event.text);
  if (notice.kind !== 'progress') return;
  const { phase, step, totalSteps, sampled } = notice.report;
  hear({ progress: sampled, phase, step, total_steps: totalSteps, seconds_left: notice.secondsLeft });
}

function filesOf({ state, error, outputs }: JobOutcome): readonly SavedFile[] {
  if (state === 'cancelled') throw new StdioFault('cancelled', 'the request was cancelled');
  if (state === 'failed') throw new StdioFault('failed', error ?? 'the job failed');
  return outputs.flatMap(({ ui }) => [...(ui.images ?? []), ...(ui.gifs ?? [])]);
}
