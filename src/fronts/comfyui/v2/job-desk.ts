/** Jobs as Comfy API v2 shows them, those of every front. */
import type { JobNotice } from '../../../jobs/events.js';
import type { JobOutcome, JobRecord } from '../../../jobs/job.js';
import type { HttpHouse } from '../../http/room.js';
import { savedItems, type SavedItem } from './outputs.js';
import { RunningProgress, type Progress } from './progress.js';
import type { Shelf } from './shelf.js';

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'canceling' | 'canceled' | 'failed';

/** Makes addresses of the host that was asked. */
export type Locate = (path: string) => string;

const ENDS = { completed: 'succeeded', failed: 'failed', cancelled: 'canceled' } as const;

export class JobDesk {
  private readonly running = new Map<string, RunningProgress>();
  private readonly canceling = new Set<string>();

  constructor(
    private readonly house: HttpHouse,
    private readonly shelf: Shelf,
  ) {}

  hear(notice: JobNotice): void {
    const { id } = notice.job;
    if (notice.kind === 'started') this.running.set(id, new RunningProgress());
    else if (notice.kind === 'event') this.running.get(id)?.hear(notice.event);
    else if (notice.kind === 'over' || notice.kind === 'returned') {
      this.running.delete(id);
      this.canceling.delete(id);
    }
  }

  find(id: string): Promise<JobRecord | undefined> {
    return this.house.jobs.find(id);
  }

  statusOf({ id, outcome }: Pick<JobRecord, 'id' | 'outcome'>): JobStatus {
    if (outcome !== undefined) return ENDS[outcome.state];
    if (this.canceling.has(id)) return 'canceling';
    return this.running.has(id) ? 'running' : 'queued';
  }

  /** Jobs before it; null for one that doesn't wait. */
  queuePosition(id: string): number | null {
    const position = this.house.jobs.pending(Infinity).findIndex(({ job }) => job.id === id);
    return position < 0 ? null : position;
  }

  progressOf(id: string): Progress | null {
    return this.running.get(id)?.snapshot ?? null;
  }

  previewOf(id: string): RunningProgress['preview'] {
    return this.running.get(id)?.preview;
  }

  itemsOf({ id, outcome }: Pick<JobRecord, 'id' | 'outcome'>): readonly SavedItem[] {
    return savedItems(outcome?.outputs ?? this.running.get(id)?.outputs ?? []);
  }

  show(job: JobRecord, locate: Locate): object {
    const { id, acceptedAt, startedAt, finishedAt, outcome } = job;
    const status = this.statusOf(job);
    const base = `/api/v2/jobs/${id}`;
    const kept = (finishedAt ?? Date.now()) + this.house.settings.keepFor * 1000;
    const ran = startedAt === undefined ? null : (finishedAt ?? Date.now()) - startedAt;
    return {
      id,
      status,
      created_at: time(acceptedAt),
      started_at: time(startedAt),
      completed_at: time(finishedAt),
      expires_at: time(kept),
      queue_position: status === 'queued' ? this.queuePosition(id) : null,
      progress: this.progressOf(id),
      outputs: this.itemsOf(job).map((item) => this.output(id, item, locate)),
      error: errorOf(outcome),
      metrics: {
        queue_ms: (startedAt ?? finishedAt ?? Date.now()) - acceptedAt,
        execution_ms: ran,
      },
      urls: { self: base, events: `${base}/events`, cancel: `${base}/cancel` },
    };
  }

  output(job: string, item: SavedItem, locate: Locate): object {
    const { place, node, name, type, contentType, size } = item;
    const id = this.shelf.outputId(job, place);
    return {
      node_id: node,
      name,
      type,
      content_type: contentType,
      size_bytes: size,
      id,
      hash: null,
      ...this.address(id, locate),
      job_id: job,
    };
  }

  address(asset: string, locate: Locate): { readonly url: string; readonly url_expires_at: string } {
    const expires = Date.now() + this.house.settings.urlLifetime * 1000;
    return {
      url: locate(`/api/v2/assets/${asset}/content`),
      url_expires_at: new Date(expires).toISOString(),
    };
  }

  /** Ends a job: one that waits at once, one that runs at its next step. */
  async cancel(job: JobRecord): Promise<void> {
    if (!this.running.has(job.id)) {
      await this.house.jobs.cancel(job.id);
      return;
    }
    this.canceling.add(job.id);
    this.house.jobs.cancel(job.id).catch((error: unknown) => {
      this.canceling.delete(job.id);
      this.house.log.warn({ err: error, job: job.id }, 'a job could not be cancelled');
    });
  }
}

function errorOf(outcome: JobOutcome | undefined): object | null {
  if (outcome?.state !== 'failed') return null;
  const { error = 'the job failed', failure } = outcome;
  if (failure === undefined) return { code: 'execution_error', message: error };
  return {
    code: 'node_execution_error',
    message: failure.exception_message,
    node_id: failure.node_id,
    class_type: failure.node_type,
    traceback: failure.traceback.join('\n'),
  };
}

function time(at: number): string;
function time(at: number | undefined): string | null;
function time(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
