/** `/api/jobs`: jobs of every state in one shape (ComfyUI server.py and comfy_execution/jobs.py). */
import type { FastifyInstance } from 'fastify';
import type { StoredJob } from '../../jobs/job.js';
import type { Jobs } from '../../jobs/jobs.js';
import type { HttpHouse } from '../http/room.js';
import { unfinished } from './queue-routes.js';
import { BadRequest, bodyText, isObject, readJson } from './request-body.js';
import type { Teller } from './teller.js';
import { historyStatus, outputsByNode, storedPrompt } from './stored-prompt.js';
import { summarise } from './output-summary.js';

const STATUSES = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
type Status = (typeof STATUSES)[number];
const HISTORY: readonly Status[] = ['completed', 'failed', 'cancelled'];

/** Jobs that are read from the journal at once. */
const PAGE = 100;

interface Asked {
  readonly statuses: readonly Status[];
  readonly workflowId: string | undefined;
  readonly sortBy: 'created_at' | 'execution_duration';
  readonly descending: boolean;
  readonly limit: number | undefined;
  readonly offset: number;
}

type ListedJob = JobShape;

/** These have no other form: their paths begin with /api wherever they are asked. */
export function jobsApi(app: FastifyInstance, { jobs }: HttpHouse, teller: Teller): void {
  app.get('/jobs', async (request, reply) => {
    const asked = readQuery(request.query as Readonly<Record<string, string | undefined>>);
    if (typeof asked === 'string') return reply.code(400).send({ error: asked });
    const { listed, total } = await listJobs(jobs, teller, asked);
    const { offset, limit = null } = asked;
    const hasMore = offset + listed.length < total;
    return { jobs: listed, pagination: { offset, limit, total, has_more: hasMore } };
  });
  app.get<{ Params: { readonly id: string } }>('/jobs/:id', async (request, reply) => {
    const [job] = await jobs.recall([request.params.id]);
    const shown = job === undefined ? undefined : wholeJob(job, jobs);
    return shown === undefined ? reply.code(404).send({ error: 'Job not found' }) : reply.send(shown);
  });
  app.post<{ Params: { readonly id: string } }>('/jobs/:id/cancel', async (request) => ({
    cancelled: await jobs.cancel(request.params.id),
  }));
  app.post('/jobs/cancel', async (request, reply) => {
    const body = jsonOf(bodyText(request));
    if (body === undefined) return reply.code(400).send({ error: 'Request body must be valid JSON' });
    const ids = isObject(body) ? body['job_ids'] : undefined;
    if (!Array.isArray(ids)) return reply.code(400).send({ error: 'job_ids must be a list' });
    const invalid = ids.filter((id) => typeof id !== 'string' || !isUuid(id));
    if (invalid.length > 0) {
      const told = invalid
        .slice(0, 20)
        .map((id) => (typeof id === 'string' ? id.slice(0, 100) : JSON.stringify(id)));
      return reply.code(400).send({ error: 'job_ids contains invalid id(s)', invalid_ids: told });
    }
    let cancelled = false;
    for (const id of ids as readonly string[]) if (await jobs.cancel(id)) cancelled = true;
    return { cancelled };
  });
}

function jsonOf(text: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    if (error instanceof BadRequest) return undefined;
    throw error;
  }
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/.test(text);
}

/** What was asked, or what is wrong with it. */
function readQuery(query: Readonly<Record<string, string | undefined>>): Asked | string {
  const given = (query['status'] ?? '').split(',').map((status) => status.trim().toLowerCase());
  const statuses = given.filter((status) => status !== '');
  const invalid = statuses.filter((status) => !isStatus(status));
  if (invalid.length > 0) {
    return `Invalid status value(s): ${invalid.join(', ').slice(0, 200)}. Valid values: ${STATUSES.join(', ')}`;
  }
  const sortBy = (query['sort_by'] ?? 'created_at').toLowerCase();
  if (sortBy !== 'created_at' && sortBy !== 'execution_duration') {
    return "sort_by must be 'created_at' or 'execution_duration'";
  }
  const order = (query['sort_order'] ?? 'desc').toLowerCase();
  if (order !== 'asc' && order !== 'desc') return "sort_order must be 'asc' or 'desc'";
  const limit = integer(query['limit']);
  if (limit === null) return 'limit must be an integer';
  if (limit !== undefined && limit <= 0) return 'limit must be a positive integer';
  const offset = integer(query['offset']);
  if (offset === null) return 'offset must be an integer';
  return {
    statuses: statuses.length === 0 ? STATUSES : statuses.filter(isStatus),
    workflowId: query['workflow_id'],
    sortBy,
    descending: order === 'desc',
    limit,
    offset: Math.max(0, offset ?? 0),
  };
}

function isStatus(text: string): text is Status {
  return (STATUSES as readonly string[]).includes(text);
}

/** Null for what is none. */
function integer(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  return /^\s*[+-]?\d{1,15}\s*$/.test(text) ? Number(text) : null;
}

async function listJobs(
  jobs: Jobs,
  teller: Teller,
  { statuses, workflowId, sortBy, descending, limit = Infinity, offset }: Asked,
): Promise<{ readonly listed: readonly ListedJob[]; readonly total: number }> {
  const { running, pending } = await unfinished(jobs, teller);
  const waiting = [
    ...(statuses.includes('in_progress') ? running.map((job) => queueJob(job, 'in_progress')) : []),
    ...(statuses.includes('pending') ? pending.map((job) => queueJob(job, 'pending')) : []),
  ];
  const wanted = HISTORY.filter((status) => statuses.includes(status));
  const accepts = (job: ListedJob) => workflowId === undefined || job.workflow_id === workflowId;
  // The newest of all that are over, which is what editors ask for, are found without the rest.
  const isPlain = workflowId === undefined && wanted.length === HISTORY.length;
  const enough = isPlain && sortBy === 'created_at' && descending ? offset + limit : Infinity;
  const over =
    wanted.length === 0
      ? { found: [], total: 0 }
      : await overJobs(jobs, (job) => wanted.includes(job.status) && accepts(job), enough);
  const all = [...waiting.filter(accepts), ...over.found];
  const keyOf = (job: ListedJob) => (sortBy === 'created_at' ? (job.create_time ?? 0) : durationOf(job));
  const sorted = all.toSorted((a, b) => (descending ? keyOf(b) - keyOf(a) : keyOf(a) - keyOf(b)));
  const total = waiting.filter(accepts).length + over.total;
  return { listed: sorted.slice(offset, offset + limit), total };
}

/** Jobs that are over and accepted by `accepts`, the newest first, `enough` of them, and how many there are. */
async function overJobs(
  jobs: Jobs,
  accepts: (job: ListedJob) => boolean,
  enough: number,
): Promise<{ readonly found: readonly ListedJob[]; readonly total: number }> {
  const found: ListedJob[] = [];
  for (let at = 0; ; at += PAGE) {
    const page = await jobs.list({ which: 'ran', first: 'newest', limit: PAGE, offset: at });
    found.push(...page.flatMap((job) => historyJob(job) ?? []).filter(accepts));
    if (page.length < PAGE) return { found, total: found.length };
    if (found.length >= enough) return { found, total: await jobs.count('ran') };
  }
}

function durationOf(job: ListedJob): number {
  const { execution_start_time: start = 0, execution_end_time: end = 0 } = job;
  return start !== 0 && end !== 0 ? end - start : 0;
}

interface JobShape {
  readonly id: string;
  readonly status: Status;
  readonly priority: number;
  readonly create_time?: number;
  readonly workflow_id?: string;
  readonly outputs_count: number;
  readonly execution_start_time?: number;
  readonly execution_end_time?: number;
  readonly execution_error?: object;
  readonly preview_output?: object;
}

function queueJob(job: StoredJob, status: 'in_progress' | 'pending'): JobShape {
  const { id, place } = job;
  return { id, status, priority: place, ...extraOf(job), outputs_count: 0 };
}

function historyJob(job: StoredJob): JobShape | undefined {
  const status = historyStatus(job);
  if (status === undefined) return undefined;
  const find = (...types: readonly string[]) => status.messages.find(([type]) => types.includes(type));
  const start = find('execution_start')?.[1]['timestamp'];
  const [endType, end] = find('execution_success', 'execution_error', 'execution_interrupted') ?? [];
  const failed = endType === 'execution_interrupted' ? 'cancelled' : 'failed';
  const { count, preview } = summarise(outputsByNode(job.outcome?.outputs ?? []));
  return {
    id: job.id,
    status: status.completed ? ('completed' as const) : failed,
    priority: job.place,
    ...extraOf(job),
    ...(typeof start === 'number' && { execution_start_time: start }),
    ...(typeof end?.['timestamp'] === 'number' && { execution_end_time: end['timestamp'] }),
    ...(endType === 'execution_error' && end !== undefined && { execution_error: end }),
    outputs_count: count,
    ...(preview !== undefined && { preview_output: preview }),
  };
}

function wholeJob(job: StoredJob, jobs: Jobs) {
  const shown = historyJob(job);
  if (shown !== undefined) {
    const { prompt, extraData } = storedPrompt(job);
    return {
      ...shown,
      outputs: outputsByNode(job.outcome?.outputs ?? []),
      execution_status: historyStatus(job),
      workflow: { prompt: JSON.parse(prompt) as unknown, extra_data: JSON.parse(extraData) as unknown },
    };
  }
  if (job.outcome !== undefined) return undefined;
  const isRunning = jobs.running.some((each) => each.job.id === job.id);
  return queueJob(job, isRunning ? 'in_progress' : 'pending');
}

/** When it was made, and the editor's id of its workflow. */
function extraOf(job: StoredJob): { readonly create_time?: number; readonly workflow_id?: string } {
  const extra: unknown = JSON.parse(storedPrompt(job).extraData);
  if (!isObject(extra)) return {};
  const { create_time: time, extra_pnginfo: info } = extra;
  const workflow = isObject(info) ? info['workflow'] : undefined;
  const id = isObject(workflow) ? workflow['id'] : undefined;
  return {
    ...(typeof time === 'number' && { create_time: time }),
    ...(typeof id === 'string' && { workflow_id: id }),
  };
}
