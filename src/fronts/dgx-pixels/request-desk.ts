/** Answers requests. Nothing here waits for inference; a `generate` and a `cancel` wait for the disk. */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Logger } from 'pino';
import type { Measure } from '../../jobs/estimates.js';
import type { JobRecord, JobSummary } from '../../jobs/job.js';
import type { Jobs } from '../../jobs/jobs.js';
import { Refusal } from '../../jobs/queue.js';
import { completeName } from '../../models/folders/folders.js';
import { safeLine, safeText, shorten } from '../../safe-text.js';
import { objectText } from '../../workflow/parse.js';
import { Patience, type Checker } from '../checker.js';
import type { Premises } from '../front.js';
import { admit, InvalidWorkflow, MAX_ID_LENGTH, MissingModel, type Admitted } from './admission.js';
import { imagePathOf, outputFiles, withinBytes } from './image-path.js';
import { listModels } from './model-list.js';
import { jobOf } from './plan.js';
import { stageOfMeasure } from './stages.js';
import { toldReport } from './told-report.js';
import type {
  DeviceInfo,
  GenerateRequest,
  JobEntry,
  JobInfo,
  Reply,
  Request,
  StatusInfo,
} from './wire/protocol.js';
import { PROTOCOL_VERSION } from './wire/protocol.js';

export interface DeskOptions {
  readonly jobs: Jobs;
  readonly premises: () => Premises;
  readonly checker: Checker;
  readonly log: Logger;
  /** How far a running job is. */
  readonly percentOf: (id: string) => number;
}

/** Jobs of the queue that `status` lists, and the bytes of their ids. */
const LISTED_JOBS = 100;
const MAX_LISTED_BYTES = 20_000;
const MAX_JOB_LIST_BYTES = 48_000;

type ListJobs = Extract<Request, { readonly type: 'list_jobs' }>;

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
      case 'list_jobs':
        return this.listJobs(request);
      case 'status':
        return this.status(request.job_id);
    }
  }

  private generate(request: GenerateRequest, patience = new Patience()): Reply | Promise<Reply> {
    const { id } = request;
    const { jobs, premises } = this.options;
    try {
      if (jobs.isStopping) throw new Refusal('the daemon is stopping; ask again when it is back');
      const admitted = admit(request, premises());
      // From here on the request itself, which as objects may be fifty times its message, is nobody's any more.
      return this.submit(id, admitted, patience);
    } catch (cause) {
      const editor = editorText(request, cause);
      if (editor !== undefined) return this.fromEditor(request, editor, patience);
      if (cause instanceof MissingModel && !premises().strictModels)
        return this.withDefault(request, cause, patience);
      return this.refused(id, cause);
    }
  }

  /** A workflow in the editor's form, which takes knowledge of node classes to read. */
  private async fromEditor(request: GenerateRequest, editor: string, patience: Patience): Promise<Reply> {
    const workflow = await this.options.checker.convert(editor, patience);
    if (typeof workflow === 'string') return this.generate({ ...request, workflow }, patience);
    const cause =
      workflow === undefined
        ? new Refusal('the machine is too busy to read this workflow; ask again')
        : new InvalidWorkflow(workflow);
    return this.refused(request.id, cause);
  }

  /** Fixed names that clients send until they are told otherwise: another model stands in. */
  private async withDefault(
    request: GenerateRequest,
    missing: MissingModel,
    patience: Patience,
  ): Promise<Reply> {
    const { premises, checker } = this.options;
    try {
      const { folders, defaultModel } = premises();
      const configured =
        defaultModel === undefined ? undefined : completeName(folders.list('checkpoints'), defaultModel);
      const stand = configured ?? (await checker.chooseCheckpoint(patience));
      if (stand === undefined) throw missing;
      return await this.submit(request.id, admit(request, premises(), stand), patience);
    } catch (cause) {
      return this.refused(request.id, cause);
    }
  }

  private async submit(id: string, admitted: Admitted, patience: Patience): Promise<Reply> {
    const { jobs, premises, checker, log } = this.options;
    const { request, workflow, notice } = admitted;
    try {
      const job = jobOf(id, request, premises().graphs, workflow);
      // The daemon's own templates are sound, and those of its owner are looked at when they run.
      if (request.workflow !== undefined) {
        const report = await checker.check(job.task.workflow, patience);
        if (report !== undefined) throw new InvalidWorkflow(report);
      }
      if (jobs.isUnknown(job.load)) {
        const work = await checker.countWork(job.task.workflow, job.load, patience);
        if (work !== undefined) jobs.expect(job.load, work);
      }
      const { seconds } = await jobs.submit(job);
      if (notice !== undefined) log.info({ job: id, notice }, 'job accepted with a change');
      return {
        type: 'job_accepted',
        job_id: id,
        estimated_time_s: seconds,
        ...(notice !== undefined && { notice }),
      };
    } catch (cause) {
      return this.refused(id, cause);
    }
  }

  private refused(id: string, cause: unknown): Reply {
    if (!(cause instanceof Refusal)) this.options.log.error({ err: cause, job: id }, 'job not accepted');
    return {
      type: 'job_error',
      job_id: knownId(id),
      error: safeText(cause instanceof Error ? cause.message : String(cause)),
      ...(cause instanceof InvalidWorkflow && { workflow_error: toldReport(cause.report) }),
    };
  }

  private async cancel(id: string): Promise<Reply> {
    try {
      if (id.length <= MAX_ID_LENGTH && (await this.options.jobs.cancel(id)))
        return { type: 'job_cancelled', job_id: id };
    } catch (cause) {
      return this.refused(id, cause);
    }
    return { type: 'job_error', job_id: knownId(id), error: 'Job not found or already completed' };
  }

  private async listModels(): Promise<Reply> {
    return { type: 'model_list', models: await listModels(this.options.premises().folders) };
  }

  private async listJobs({
    which = 'all',
    id_prefix: prefix,
    limit = LISTED_JOBS,
  }: ListJobs): Promise<Reply> {
    const most = Math.min(limit, LISTED_JOBS);
    const found = await this.options.jobs.summaries({
      which,
      limit: most + 1,
      ...(prefix !== undefined && { prefix }),
    });
    const jobs = withinBytes(found.slice(0, most).map(jobEntry), JSON.stringify, MAX_JOB_LIST_BYTES);
    return { type: 'job_list', jobs, has_more: jobs.length < found.length };
  }

  private async status(jobId: string | undefined): Promise<StatusInfo> {
    const { jobs, percentOf } = this.options;
    const [record, engineBytes] = await Promise.all([
      jobId === undefined || jobId.length > MAX_ID_LENGTH ? undefined : jobs.find(jobId),
      jobs.engineBytes(),
    ]);
    const { running } = jobs;
    return {
      type: 'status_info',
      version: PROTOCOL_VERSION,
      queue_size: jobs.size,
      active_jobs: running.length,
      uptime_s: Math.floor((performance.now() - this.startedAt) / 1000),
      queue: withinBytes(jobs.pending(LISTED_JOBS), ({ job }) => job.id, MAX_LISTED_BYTES).map(
        ({ job, seconds }, index) => ({
          job_id: job.id,
          position: index + 1,
          estimated_time_s: seconds,
        }),
      ),
      queue_capacity: jobs.capacity,
      running: running.map(({ job, secondsLeft }) => ({
        job_id: job.id,
        percent: percentOf(job.id),
        eta_s: secondsLeft,
      })),
      stages: Object.fromEntries(
        Object.entries(jobs.measured).map(([measure, { count, meanSeconds }]) => [
          stageOfMeasure(measure as Measure),
          { count, mean_s: meanSeconds },
        ]),
      ),
      memory: { daemon_mb: megabytes(process.memoryUsage.rss()), engine_mb: megabytes(engineBytes) },
      engine: jobs.engineStates[0] ?? { state: 'down', restarts: 0 },
      ...(jobs.engineStates.length > 1 && { engines: jobs.engineStates }),
      device: this.deviceInfo(),
      ...(record !== undefined && { job: jobInfo(record) }),
    };
  }

  private deviceInfo(): DeviceInfo {
    return {
      kind: this.options.premises().devices.join(','),
      name: this.processor,
      cores: availableParallelism(),
      memory_total_mb: megabytes(totalmem()),
      memory_available_mb: megabytes(freemem()),
    };
  }
}

function jobInfo({ id, state, attempts, outcome }: JobRecord): JobInfo {
  const path = outcome?.state === 'completed' ? imagePathOf(outcome.outputs) : undefined;
  return {
    job_id: id,
    state,
    attempts,
    ...(outcome !== undefined && { duration_s: outcome.durationSeconds }),
    ...(path !== undefined && { image_path: path }),
    ...(outcome !== undefined && { outputs: outputFiles(outcome.outputs) }),
    ...(outcome?.error !== undefined && { error: safeText(outcome.error) }),
  };
}

function jobEntry(job: JobSummary): JobEntry {
  const { id, state, attempts, client, acceptedAt, startedAt, finishedAt, durationSeconds, error } = job;
  return {
    job_id: id,
    state,
    attempts,
    front: client.front,
    accepted_at: acceptedAt / 1000,
    ...(startedAt !== undefined && { started_at: startedAt / 1000 }),
    ...(finishedAt !== undefined && { finished_at: finishedAt / 1000 }),
    ...(durationSeconds !== undefined && { duration_s: durationSeconds }),
    ...(error !== undefined && { error: safeLine(error.split('\n', 1)[0] ?? '') }),
  };
}

/** An id as a client has to recognise it; what is longer than any job's is not repeated in full. */
function knownId(id: string): string {
  return shorten(id, MAX_ID_LENGTH);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

/** The workflow of a request that was refused for being in the editor's form. */
function editorText({ workflow }: GenerateRequest, cause: unknown): string | undefined {
  if (!(cause instanceof InvalidWorkflow) || cause.report.error.type !== 'editor_format') return undefined;
  return typeof workflow === 'string' ? workflow : objectText(workflow);
}
