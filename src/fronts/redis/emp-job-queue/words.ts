/** What is written of a job, in emp-job-queue's keys and channels; and what a job asks for. */
import { safeText, shorten } from '../../../safe-text.js';
import { findService, type ServiceHouse } from '../services.js';
import type { Command } from '../held-entries.js';
import { TaskError } from '../workflow-runner.js';

/** Fields of `job:ID`. */
export type JobFields = Readonly<Record<string, string | undefined>>;

const COMPLETED_TTL = 86_400;
export const FAILED_TTL = 604_800;
const MAX_ERROR = 2000;

/** The workflow of a job, as JSON text. Throws `TaskError`. */
export async function workflowOf(job: JobFields, house: ServiceHouse): Promise<string> {
  let payload: unknown;
  try {
    payload = JSON.parse(job['payload'] ?? '');
  } catch {
    throw new TaskError('invalid_params', 'payload is no JSON');
  }
  if (typeof payload !== 'object' || payload === null)
    throw new TaskError('invalid_params', 'payload must be an object');
  const given = payload as Readonly<Record<string, unknown>>;
  if (job['service_required'] === 'a1111' && given['workflow'] === undefined) {
    const { cfg_scale: cfg, override_settings: settings } = given;
    const model = (settings as { readonly sd_model_checkpoint?: unknown } | undefined)?.sd_model_checkpoint;
    const parameters = {
      ...given,
      // A1111's names of samplers are others.
      sampler_name: undefined,
      ...(cfg !== undefined && { cfg }),
      ...(model !== undefined && { model }),
    };
    return findService('generate.txt2img').workflow(parameters, house);
  }
  const workflow = given['workflow'] ?? (given['template'] === undefined ? given : undefined);
  return findService('comfyui.workflow').workflow(
    { ...given, ...(workflow !== undefined && { workflow }) },
    house,
  );
}

export function completion(worker: string, id: string, job: JobFields, result: object): readonly Command[] {
  const at = new Date().toISOString();
  const event = {
    ...{
      job_id: id,
      worker_id: worker,
      progress: 100,
      status: 'completed',
      message: 'Job completed successfully',
    },
    ...{ result, timestamp: Date.now(), ...workflowFields(job) },
  };
  return [
    ['HSET', `job:${id}`, 'status', 'completed', 'completed_at', at],
    ['HDEL', `jobs:active:${worker}`, id],
    ['HSET', 'jobs:completed', id, JSON.stringify({ success: true, data: result, completed_at: at })],
    ['EXPIRE', 'jobs:completed', String(COMPLETED_TTL)],
    ...progressCommands(worker, id, job, 100, 'completed'),
    ['PUBLISH', 'complete_job', JSON.stringify(event)],
    ['HINCRBY', `worker:${worker}`, 'total_jobs_completed', '1'],
  ];
}

export function failure(
  worker: string,
  id: string,
  job: JobFields,
  { code, message }: TaskError,
): readonly Command[] {
  const at = new Date().toISOString();
  const error = shorten(safeText(message), MAX_ERROR);
  const retries = Number(job['retry_count'] ?? 0) + 1;
  const most = Number(job['max_retries'] ?? 3);
  // What was asked for wrongly stays so.
  const retry = code === 'workflow_failed' && retries <= most;
  const common = ['retry_count', String(retries), 'last_failed_worker', worker, 'failed_at', at];
  const active = ['HDEL', `jobs:active:${worker}`, id];
  if (retry) {
    return [
      ['HSET', `job:${id}`, 'status', 'pending', 'worker_id', '', 'assigned_at', '', ...common],
      ['ZADD', 'jobs:pending', scoreOf(job), id],
      active,
    ];
  }
  const event = {
    ...{
      job_id: id,
      worker_id: worker,
      status: 'failed',
      error,
      code,
      failed_at: at,
      retry_count: retries,
    },
    ...{ can_retry: false, timestamp: Date.now(), ...workflowFields(job) },
  };
  return [
    ['HSET', `job:${id}`, 'status', 'failed', ...common],
    ['HSET', 'jobs:failed', id, JSON.stringify({ error, code, failed_at: at, retry_count: retries })],
    ['EXPIRE', 'jobs:failed', String(FAILED_TTL)],
    active,
    ['PUBLISH', 'job_failed', JSON.stringify(event)],
    ['HINCRBY', `worker:${worker}`, 'total_jobs_failed', '1'],
  ];
}

export function progressCommands(
  worker: string,

  id: string,
  job: JobFields,
  progress: number,
  status: string,
): readonly Command[] {
  const about = {
    ...{ job_id: id, worker_id: worker, progress, status, message: '' },
    ...{ current_step: job['current_step'] ?? '', total_steps: Number(job['total_steps'] ?? 0) },
    ...{ estimated_completion: '', timestamp: Date.now() },
  };
  const fields = Object.entries({ ...about, updated_at: new Date().toISOString() }).flatMap(
    ([name, value]) => [name, String(value)],
  );
  return [
    ['HSET', `job:${id}:progress`, ...fields],
    ['EXPIRE', `job:${id}:progress`, String(FAILED_TTL)],
    ['PUBLISH', 'update_job_progress', JSON.stringify(about)],
  ];
}

/** What the hub follows workflows by. */
function workflowFields(job: JobFields): Record<string, unknown> {
  const numbers = ['current_step', 'total_steps', 'workflow_priority', 'workflow_datetime'] as const;
  return {
    ...(job['workflow_id'] !== undefined && job['workflow_id'] !== '' && { workflow_id: job['workflow_id'] }),
    ...Object.fromEntries(
      numbers.flatMap((name) =>
        job[name] === undefined || job[name] === '' ? [] : [[name, Number(job[name])]],
      ),
    ),
  };
}

/** Higher ones are first: by priority, then age, the workflow's before the job's own (redis-direct-worker-client.ts, failJob). */
export function scoreOf(job: JobFields): string {
  const priority = Number(job['workflow_priority'] ?? job['priority'] ?? 50);
  const created = Number(job['workflow_datetime'] ?? Date.parse(job['created_at'] ?? ''));
  const time = Number.isFinite(created) ? created : Date.now();
  return String(priority * 1_000_000 + (Number.MAX_SAFE_INTEGER - time));
}
