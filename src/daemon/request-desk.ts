/** Answers requests. Nothing here waits for inference; a `generate` and a `cancel` wait for the disk. */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Logger } from 'pino';
import { loadOf, type JobRequest } from '../engine-process/job.js';
import type { DeviceInfo, GenerateRequest, JobInfo, Reply, Request, StatusInfo } from '../wire/protocol.js';
import { PROTOCOL_VERSION } from '../wire/protocol.js';
import { admit, type Premises } from './admission.js';
import type { EngineHost } from './engine-host.js';
import type { Estimates } from './estimates.js';
import type { Journal } from './journal.js';
import { listModels } from './model-list.js';
import { Refusal, type JobQueue } from './queue.js';
import type { Runner } from './runner.js';

export interface DeskOptions {
  readonly queue: JobQueue;
  readonly journal: Journal;
  readonly runner: Runner;
  readonly engine: EngineHost;
  readonly estimates: Estimates;
  readonly premises: () => Premises;
  readonly queueCapacity: () => number;
  readonly device: () => string;
  readonly log: Logger;
  /** True from the moment when the daemon is told to stop. */
  readonly stopping: () => boolean;
}

/** Jobs of the queue that `status` lists. */
const LISTED_JOBS = 100;

export class RequestDesk {
  private readonly startedAt = performance.now();
  private readonly processor = cpus()[0]?.model ?? 'unknown processor';

  constructor(private readonly options: DeskOptions) {}

  handle(request: Request): Reply | Promise<Reply> {
    switch (request.type) {
      case 'ping':
        return { type: 'pong' };
      case 'generate':
        return this.generate(request);
      case 'cancel':
        return this.cancel(request.job_id);
      case 'list_models':
        return this.listModels();
      case 'status':
        return this.status(request.job_id);
    }
  }

  private generate(request: GenerateRequest): Reply | Promise<Reply> {
    const { id } = request;
    try {
      if (this.options.stopping()) throw new Refusal('the daemon is stopping; ask again when it is back');
      const job = admit(request, this.options.premises());
      // From here on the request itself, which as objects may be fifty times its message, is nobody's any more.
      return this.enqueue(id, job);
    } catch (cause) {
      return this.refused(id, cause);
    }
  }

  private async enqueue(id: string, job: JobRequest): Promise<Reply> {
    const seconds = this.secondsOfJobsAhead() + this.options.estimates.seconds(loadOf(job));
    try {
      await this.options.queue.accept(id, job);
    } catch (cause) {
      return this.refused(id, cause);
    }
    return { type: 'job_accepted', job_id: id, estimated_time_s: seconds };
  }

  private refused(id: string, cause: unknown): Reply {
    if (!(cause instanceof Refusal)) this.options.log.error({ err: cause, job: id }, 'job not accepted');
    return { type: 'job_error', job_id: id, error: cause instanceof Error ? cause.message : String(cause) };
  }

  private async cancel(id: string): Promise<Reply> {
    const { queue, runner } = this.options;
    const waiting = queue.withdraw(id);
    if (waiting !== undefined) await runner.cancelWaiting(waiting);
    else if (!(await runner.cancel(id))) {
      return { type: 'job_error', job_id: id, error: 'Job not found or already completed' };
    }
    return { type: 'job_cancelled', job_id: id };
  }

  private async listModels(): Promise<Reply> {
    return { type: 'model_list', models: await listModels(this.options.premises().folders) };
  }

  private async status(jobId: string | undefined): Promise<StatusInfo> {
    const { queue, engine, runner, estimates, queueCapacity } = this.options;
    const [job, engineBytes] = await Promise.all([
      jobId === undefined ? undefined : this.jobInfo(jobId),
      engine.residentBytes(),
    ]);
    const { running } = runner;
    return {
      type: 'status_info',
      version: PROTOCOL_VERSION,
      queue_size: queue.size,
      active_jobs: running === undefined ? 0 : 1,
      uptime_s: Math.floor((performance.now() - this.startedAt) / 1000),
      queue: this.listQueue(),
      queue_capacity: queueCapacity(),
      running:
        running === undefined
          ? []
          : [{ job_id: running.id, percent: running.percent, eta_s: running.secondsLeft }],
      stages: estimates.summary(),
      memory: { daemon_mb: megabytes(process.memoryUsage.rss()), engine_mb: megabytes(engineBytes) },
      engine: engine.info,
      device: this.deviceInfo(),
      ...(job !== undefined && { job }),
    };
  }

  private listQueue(): StatusInfo['queue'] {
    let seconds = this.options.runner.running?.secondsLeft ?? 0;
    return this.options.queue.pending.slice(0, LISTED_JOBS).map(({ id, load }, index) => {
      seconds += this.options.estimates.seconds(load);
      return { job_id: id, position: index + 1, estimated_time_s: seconds };
    });
  }

  private async jobInfo(id: string): Promise<JobInfo | undefined> {
    const record = await this.options.journal.find(id);
    if (record === undefined) return undefined;
    const { state, attempts, outcome } = record;
    return {
      job_id: id,
      state,
      attempts,
      ...(outcome !== undefined && { duration_s: outcome.durationSeconds }),
      ...(outcome?.imagePath !== undefined && { image_path: outcome.imagePath }),
      ...(outcome?.error !== undefined && { error: outcome.error }),
    };
  }

  private secondsOfJobsAhead(): number {
    const { queue, runner, estimates } = this.options;
    const running = runner.running?.secondsLeft ?? 0;
    return queue.pending.reduce((seconds, { load }) => seconds + estimates.seconds(load), running);
  }

  private deviceInfo(): DeviceInfo {
    return {
      kind: this.options.device(),
      name: this.processor,
      cores: availableParallelism(),
      memory_total_mb: megabytes(totalmem()),
      memory_available_mb: megabytes(freemem()),
    };
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
