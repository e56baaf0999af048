/** Runs workflows for work that came over Redis: as jobs of this daemon, with what they made as artifacts. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeOutput } from '../../engine-process/messages.js';
import type { SavedFile } from '../../nodes/results.js';
import type { JobLoad } from '../../jobs/job.js';
import type { Jobs } from '../../jobs/jobs.js';
import { TooManyJobs } from '../../jobs/client-rules.js';
import { WorkflowError } from '../../workflow/faults.js';
import { parseWorkflow } from '../../workflow/parse.js';
import type { Checker } from '../checker.js';
import { submitAndFollow } from '../follow-job.js';
import { NO_LOAD, workflowLoad } from '../workflow-load.js';
import type { Artifact } from '../../store/artifact.js';
import type { Artifacts } from './artifacts.js';

export const REDIS_FRONT = 'redis';

/** Work that can't be done, with a code for programs. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  constructor(
    readonly code: string,
    message: string,
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** The daemon stops, or the work is somebody else's now. */
export class TaskStopped extends Error {
  override readonly name = 'TaskStopped';
}

/** Of those, no more can have been under way. */
const RECENT_JOBS = 200;

export interface WorkflowTask {
  /** Of the work; with `deliveries` the job's id. */
  readonly id: string;
  readonly deliveries: number;
  /** Whom it is done for, where that is known. */
  readonly client?: string;
  readonly priority?: number;
  readonly workflow: string;
  readonly onProgress: (share: number) => void;
  readonly signal: AbortSignal;
}

export interface WorkflowResult {
  readonly artifacts: readonly Artifact[];
  readonly texts: readonly string[];
}

export interface RunnerHouse {
  readonly jobs: Jobs;
  readonly checker: Checker;
  readonly artifacts: Artifacts;
}

/** Throws `TaskError` and `TaskStopped`. */
export async function runWorkflow(house: RunnerHouse, task: WorkflowTask): Promise<WorkflowResult> {
  const earlier = await earlierOutputs(house.jobs, task);
  return resultOf(house.artifacts, earlier ?? (await runJob(house, task)));
}

async function runJob({ jobs, checker }: RunnerHouse, task: WorkflowTask): Promise<readonly NodeOutput[]> {
  const { workflow, signal, onProgress } = task;
  const isStopped = () => signal.aborted;
  const report = await checker.check(workflow);
  if (report !== undefined) throw new TaskError('invalid_workflow', report.error.message, report);
  for (;;) {
    if (signal.aborted || jobs.isStopping) throw new TaskStopped();
    const id = jobId(task, task.deliveries);
    let returned: () => void = () => undefined;
    const stopped = new Promise<'returned'>((resolve) => {
      returned = () => {
        resolve('returned');
      };
    });
    const job = {
      id,
      client: { front: REDIS_FRONT, ...(task.client !== undefined && { id: task.client }) },
      priority: task.priority ?? 0,
      task: { workflow },
      load: loadOf(workflow),
      metadata: {},
    };
    const following = await submitAndFollow(jobs, job, (notice) => {
      if (notice.kind === 'returned') returned();
      if (notice.kind === 'progress') {
        const { phase, sampled } = notice.report;
        onProgress(
          phase === 'finishing' ? 1 : phase === 'sampling' || phase === 'decoding' ? 0.1 + 0.85 * sampled : 0,
        );
      }
    }).catch(async (cause: unknown) => {
      if (!(cause instanceof TooManyJobs)) throw cause;
      await delay(cause.retryAfterSeconds * 1000, undefined, { signal }).catch(() => undefined);
      return undefined;
    });
    if (following === undefined) continue;
    const cancel = () => void jobs.cancel(id).catch(() => false);
    signal.addEventListener('abort', cancel, { once: true });
    if (isStopped()) cancel();
    const outcome = await Promise.race([following.over, stopped]);
    signal.removeEventListener('abort', cancel);
    if (outcome === 'returned') {
      following.unfollow();
      // It is handed back to Redis; the next daemon must not run it, too.
      await jobs.cancel(id);
      throw new TaskStopped();
    }
    if (outcome.state === 'completed') return outcome.outputs;
    if (isStopped()) throw new TaskStopped();
    if (outcome.state === 'cancelled')
      throw new TaskError('cancelled', 'the job was cancelled on this worker');
    const { error = 'the workflow failed', failure } = outcome;
    throw new TaskError('workflow_failed', error, failure);
  }
}

/**
 * Files of jobs that were done when a daemon died, before anybody heard of it: somebody else does the work again, and makes the
 * same. They become artifacts, under the same names.
 */
export async function adoptLeftFiles({
  jobs,
  artifacts,
}: Pick<RunnerHouse, 'jobs' | 'artifacts'>): Promise<void> {
  for (const { client, outcome } of await jobs.list({ which: 'ran', first: 'newest', limit: RECENT_JOBS })) {
    if (client.front !== REDIS_FRONT || outcome?.state !== 'completed') continue;
    for (const { path, artifact } of savedFiles(outcome.outputs)) {
      if (artifact === undefined && existsSync(path)) await artifacts.put(path);
    }
  }
}

/** A daemon that died after its job was done, and before that was told, finds the files that it made. */
async function earlierOutputs(jobs: Jobs, task: WorkflowTask): Promise<readonly NodeOutput[] | undefined> {
  for (let deliveries = task.deliveries - 1; deliveries >= 1; deliveries--) {
    const outcome = (await jobs.find(jobId(task, deliveries)))?.outcome;
    if (outcome?.state !== 'completed') continue;
    if (savedFiles(outcome.outputs).every(({ path, artifact }) => artifact !== undefined || existsSync(path)))
      return outcome.outputs;
  }
  return undefined;
}

function jobId({ id }: WorkflowTask, deliveries: number): string {
  return `redis:${id}:${deliveries}`;
}

function loadOf(workflow: string): JobLoad {
  try {
    return workflowLoad(parseWorkflow(workflow));
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return NO_LOAD;
  }
}

function savedFiles(outputs: readonly NodeOutput[]): readonly SavedFile[] {
  const files = outputs.flatMap(({ ui: { images = [], gifs = [], latents = [] } }): readonly SavedFile[] => [
    ...images,
    ...gifs,
    ...latents,
  ]);
  return files.filter(({ type }) => type === 'output');
}

/** Where there is a store, the engine has put them there already. */
async function resultOf(artifacts: Artifacts, outputs: readonly NodeOutput[]): Promise<WorkflowResult> {
  const kept = new Map<string, Artifact>();
  for (const { path, artifact } of savedFiles(outputs)) {
    if (!kept.has(path)) kept.set(path, artifact ?? (await artifacts.put(path)));
  }
  return { artifacts: [...kept.values()], texts: outputs.flatMap(({ ui }) => ui.text ?? []) };
}
