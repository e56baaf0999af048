/**
 * A worker of emp-job-queue: it asks the hub's own function for jobs that suit it, and says how far they are in the hub's keys and
 * channels. What it writes about a job is fenced by the job's worker; jobs of workers that are silent go back to the queue.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { hostname, totalmem } from 'node:os';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { safeLine } from '../../../safe-text.js';
import type { VitalMeasure } from '../../vitals.js';
import type { ServiceHouse } from '../services.js';
import type { Command } from '../held-entries.js';
import { runWorkflow, TaskError, TaskStopped, type RunnerHouse } from '../workflow-runner.js';
import { FORSAKE, OWNED } from './scripts.js';
import { completion, failure, progressCommands, scoreOf, workflowOf, type JobFields } from './words.js';

export interface EmpWorkerOptions {
  readonly client: Redis;
  /** Its own variables, as the hub's workers have them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly consumer: string;
  readonly capacity: () => number;
  readonly heartbeatMs: number;
  readonly house: RunnerHouse & ServiceHouse;
  readonly log: Logger;
}

/** No faster: the hub is asked in vain most of the time. */
const POLL_MS = 1000;
/** The hub's own: a worker's sign of life is good for so many seconds. */
const HEARTBEAT_TTL = 60;
/** Jobs that the hub's function looks at. */
const MAX_SCAN = 100;
const PROGRESS_INTERVAL_MS = 250;
const MAX_ERROR = 2000;
const SERVICES = ['comfyui', 'a1111'] as const;

export class EmpWorker {
  readonly id: string;
  private readonly services: readonly string[];
  private readonly closing = new AbortController();
  private readonly work = new Set<Promise<void>>();
  private loop: Promise<void> = Promise.resolve();
  private heartbeat: NodeJS.Timeout | undefined;
  private wake: () => void = () => undefined;
  private lacksFunction = false;

  constructor(private readonly options: EmpWorkerOptions) {
    const { environment, consumer } = options;
    this.id = environment['WORKER_ID'] ?? `latentd-${consumer}`;
    const given =
      environment['WORKER_SERVICES'] ?? environment['WORKER_CONNECTORS'] ?? environment['CONNECTORS'];
    // `comfyui:2` is two of them; how many jobs run at once is the number of engines here.
    const named = (given ?? SERVICES.join(',')).split(',').map((name) => name.trim().replace(/:\d+$/, ''));
    this.services = named.filter((name) => name !== '');
  }

  get holding(): number {
    return this.work.size;
  }

  /** What waits in the hub. */
  async backlog(): Promise<readonly VitalMeasure[]> {
    const { client } = this.options;
    const [waiting, failed] = await Promise.all([client.zcard('jobs:pending'), client.hlen('jobs:failed')]);
    return [
      { name: 'redis_lag', help: 'Jobs that no worker has taken yet', value: waiting },
      { name: 'redis_pending', help: 'Jobs that this worker has', value: this.work.size },
      { name: 'redis_dead_letters', help: 'Jobs that failed within a week', value: failed },
    ];
  }

  roomAgain(): void {
    this.wake();
  }

  begin(): void {
    this.loop = this.poll();
    const { heartbeatMs } = this.options;
    this.heartbeat = setInterval(() => {
      this.beat().catch((error: unknown) => {
        this.report(error);
      });
    }, heartbeatMs);
  }

  async close(): Promise<void> {
    const { client } = this.options;
    this.closing.abort();
    this.wake();
    clearInterval(this.heartbeat);
    const patience = new AbortController();
    const gone = delay(CLOSE_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([Promise.all([this.loop, ...this.work]), gone]);
    if (client.status === 'ready') await Promise.race([this.leave(), gone]).catch(() => undefined);
    patience.abort();
  }

  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  private async poll(): Promise<void> {
    let joined = false;
    while (!this.isClosing()) {
      try {
        if (!joined) {
          // An earlier process of this name is gone; what it had is to be done again.
          await this.forsake(this.id, false);
          await this.join();
          joined = true;
        }
        while (this.options.capacity() > 0 && !this.isClosing() && (await this.takeOne()));
      } catch (error) {
        this.report(error);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Whether there was a job. */
  private async takeOne(): Promise<boolean> {
    const reply = await this.options.client.call(
      'FCALL',
      'findMatchingJob',
      0,
      JSON.stringify(this.capabilities()),
      MAX_SCAN,
    );
    if (typeof reply !== 'string') return false;
    const { jobId, job } = JSON.parse(reply) as { readonly jobId: string; readonly job: JobFields };
    const work: Promise<void> = this.run(jobId, job)
      .catch((error: unknown) => {
        this.report(error);
      })
      .finally(() => {
        this.work.delete(work);
        this.wake();
      });
    this.work.add(work);
    await this.publishStatus('idle', 'busy', jobId);
    return true;
  }

  private async run(id: string, job: JobFields): Promise<void> {
    const { client, house } = this.options;
    const now = new Date().toISOString();
    if (!(await this.write(id, [['HSET', `job:${id}`, 'status', 'in_progress', 'started_at', now]]))) return;
    let toldAt = -Infinity;
    const onProgress = (share: number) => {
      if (client.status !== 'ready' || performance.now() - toldAt < PROGRESS_INTERVAL_MS) return;
      toldAt = performance.now();
      void this.tellProgress(id, job, Math.round(share * 99)).catch(() => undefined);
    };
    try {
      const result = await runWorkflow(house, {
        id,
        deliveries: Number(job['retry_count'] ?? 0) + 1,
        ...(job['customer_id'] !== undefined && job['customer_id'] !== '' && { client: job['customer_id'] }),
        workflow: await workflowOf(job, house),
        onProgress,
        signal: this.closing.signal,
      });
      const [first] = result.artifacts;
      await this.write(
        id,
        completion(this.id, id, job, {
          success: true,
          data: {
            artifacts: result.artifacts,
            ...(first !== undefined && {
              image_url: `${first.bucket}/${first.key}`,
              mime_type: first.content_type,
            }),
            ...(result.texts.length > 0 && { texts: result.texts }),
          },
        }),
      );
    } catch (error) {
      if (error instanceof TaskStopped) await this.giveBack(id, job);
      else if (error instanceof TaskError) await this.write(id, failure(this.id, id, job, error));
      else throw error;
    } finally {
      if (this.work.size <= 1) await this.becomeIdle();
    }
  }

  /** The daemon stops; that is no fault of the job's. */
  private async giveBack(id: string, job: JobFields): Promise<void> {
    await this.write(id, [
      ['HSET', `job:${id}`, 'status', 'pending', 'worker_id', '', 'assigned_at', ''],
      ['ZADD', 'jobs:pending', scoreOf(job), id],
      ['HDEL', `jobs:active:${this.id}`, id],
    ]);
  }

  private tellProgress(id: string, job: JobFields, percent: number): Promise<boolean> {
    return this.write(id, progressCommands(this.id, id, job, percent, 'in_progress'));
  }

  /** False where the job is no longer this worker's. */
  private async write(id: string, commands: readonly Command[]): Promise<boolean> {
    const written = await this.options.client.eval(OWNED, 1, `job:${id}`, this.id, JSON.stringify(commands));
    if (written !== 1)
      this.options.log.warn({ job: id }, "a job is no longer this worker's; what was done for it is dropped");
    return written === 1;
  }

  private capabilities() {
    const { folders, devices } = this.options.house.premises();
    const { environment } = this.options;
    const list = (name: string) => environment[name]?.split(',').map((each) => each.trim());
    const gigabytes = Math.round(totalmem() / 2 ** 30);
    const models = folders.list('checkpoints');
    return {
      worker_id: this.id,
      machine_id: environment['MACHINE_ID'] ?? hostname(),
      services: this.services,
      job_service_required_map: this.services,
      models: Object.fromEntries(this.services.map((service) => [service, models])),
      hardware: {
        gpu_memory_gb: Number(environment['WORKER_GPU_MEMORY_GB'] ?? 0),
        gpu_model: environment['WORKER_GPU_MODEL'] ?? devices.join(','),
        ram_gb: Number(environment['WORKER_RAM_GB'] ?? gigabytes),
      },
      customer_access: {
        isolation: environment['WORKER_CUSTOMER_ISOLATION'] ?? environment['CUSTOMER_ISOLATION'] ?? 'none',
        ...(list('ALLOWED_CUSTOMERS') !== undefined && { allowed_customers: list('ALLOWED_CUSTOMERS') }),
        ...(list('DENIED_CUSTOMERS') !== undefined && { denied_customers: list('DENIED_CUSTOMERS') }),
      },
      performance: { concurrent_jobs: devices.length, quality_levels: ['fast', 'balanced', 'quality'] },
    };
  }

  private async join(): Promise<void> {
    const { client } = this.options;
    const at = new Date().toISOString();
    const capabilities = this.capabilities();
    const fields = {
      ...{
        worker_id: this.id,
        machine_id: capabilities.machine_id,
        capabilities: JSON.stringify(capabilities),
      },
      ...{
        status: 'idle',
        connected_at: at,
        last_heartbeat: at,
        total_jobs_completed: '0',
        total_jobs_failed: '0',
      },
    };
    const event = {
      ...{
        type: 'worker_connected',
        worker_id: this.id,
        machine_id: capabilities.machine_id,
        timestamp: Date.now(),
      },
      worker_data: {
        id: this.id,
        status: 'idle',
        capabilities,
        connected_at: at,
        jobs_completed: 0,
        jobs_failed: 0,
      },
    };
    await client
      .multi()
      .hset(`worker:${this.id}`, fields)
      .sadd('workers:active', this.id)
      .setex(`worker:${this.id}:heartbeat`, HEARTBEAT_TTL, at)
      .publish('worker:events', JSON.stringify(event))
      .exec();
    this.options.log.info({ worker: this.id, services: this.services }, 'work is taken from redis');
  }

  private async beat(): Promise<void> {
    const { client } = this.options;
    if (client.status !== 'ready') return;
    const at = new Date().toISOString();
    await client
      .multi()
      .hset(`worker:${this.id}`, { worker_id: this.id, last_heartbeat: at })
      .sadd('workers:active', this.id)
      .setex(`worker:${this.id}:heartbeat`, HEARTBEAT_TTL, at)
      .exec();
    for (const worker of await client.smembers('workers:active')) {
      if (worker !== this.id) await this.forsake(worker, true);
    }
  }

  private async forsake(worker: string, mustBeSilent: boolean): Promise<void> {
    const at = new Date();
    const moved = (await this.options.client.eval(
      FORSAKE,
      0,
      ...[worker, mustBeSilent ? '1' : '0', at.toISOString(), String(at.getTime())],
    )) as string[];
    if (moved.length > 0)
      this.options.log.warn({ worker, jobs: moved.length }, 'jobs of a worker that is gone wait again');
  }

  private async becomeIdle(): Promise<void> {
    const { client } = this.options;
    await client.hset(`worker:${this.id}`, {
      status: 'idle',
      current_job_id: '',
      last_status_change: new Date().toISOString(),
    });
    await this.publishStatus('busy', 'idle', '');
  }

  private async publishStatus(before: string, after: string, job: string): Promise<void> {
    const event = {
      worker_id: this.id,
      old_status: before,
      new_status: after,
      current_job_id: job,
      timestamp: Date.now(),
    };
    await this.options.client.publish('worker_status', JSON.stringify(event));
  }

  private async leave(): Promise<void> {
    const event = { type: 'worker_disconnected', worker_id: this.id, timestamp: Date.now() };
    await this.options.client
      .multi()
      .publish('worker:events', JSON.stringify(event))
      .srem('workers:active', this.id)
      .del(`worker:${this.id}`, `worker:${this.id}:heartbeat`)
      .exec();
  }

  private report(error: unknown): void {
    if (this.isClosing()) return;
    const fault = safeLine(error instanceof Error ? error.message : String(error), MAX_ERROR);
    if (/function not found/i.test(fault)) {
      if (!this.lacksFunction)
        this.options.log.warn('the hub has not loaded its function findMatchingJob yet');
      this.lacksFunction = true;
      return;
    }
    this.options.log.warn({ fault }, 'redis could not do what was asked');
  }
}

const CLOSE_PATIENCE_MS = 5000;
