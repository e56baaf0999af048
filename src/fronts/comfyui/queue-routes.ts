/** `/queue`, `/interrupt`, `/free` and `/history`. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { StoredJob } from '../../jobs/job.js';
import type { Jobs } from '../../jobs/jobs.js';
import type { HttpHouse } from '../http/room.js';
import { BadRequest, bodyObject, looseObject, textsOf } from './request-body.js';
import { historyEntry, queueEntry } from './stored-prompt.js';
import type { Teller } from './teller.js';

/** Jobs that are read from the journal at once. */
const PAGE = 100;

export function queueRoutes(app: FastifyInstance, { jobs }: HttpHouse, teller: Teller): void {
  app.get('/queue', async (_request, reply) => {
    const { running, pending } = await unfinished(jobs, teller);
    return sendJson(
      reply,
      `{"queue_running": [${running.map(queueEntry).join(', ')}], "queue_pending": [${pending.map(queueEntry).join(', ')}]}`,
    );
  });
  app.post('/queue', async (request, reply) => {
    const { clear, delete: ids } = bodyObject(request);
    const waiting = jobs.pending(Infinity).map(({ job }) => job.id);
    for (const id of clear === true ? waiting : textsOf(ids)) {
      if (waiting.includes(id)) await jobs.cancel(id);
    }
    return reply.send();
  });
  app.post('/interrupt', async (request, reply) => {
    const { prompt_id: id } = looseObject(request);
    const running = jobs.running.map(({ job }) => job.id);
    for (const each of running) if (id === undefined || id === each) await jobs.cancel(each);
    return reply.send();
  });
  app.get('/history', (request, reply) => {
    const { max_items: max, offset } = request.query as Readonly<Record<string, string | undefined>>;
    return sendHistory(jobs, reply, window(integer('max_items', max), integer('offset', offset)));
  });
  app.get('/history/:id', async (request, reply) => {
    const { id } = request.params as { readonly id: string };
    const entries = (await jobs.recall([id])).map(historyEntry).filter((entry) => entry !== undefined);
    return sendJson(reply, `{${entries.join(', ')}}`);
  });
  app.post('/history', async (request: FastifyRequest, reply) => {
    const { clear, delete: ids } = bodyObject(request);
    if (clear === true) await jobs.forget('all');
    await jobs.forget(textsOf(ids));
    return reply.send();
  });
}

/** Jobs that run, and those that wait in the order in which they will. */
export async function unfinished(
  jobs: Jobs,
  teller: Teller,
): Promise<{ readonly running: readonly StoredJob[]; readonly pending: readonly StoredJob[] }> {
  const running = teller.runningIds;
  const pending = jobs.pending(Infinity).map(({ job }) => job.id);
  const stored = await jobs.recall([...running, ...pending]);
  const byId = new Map(stored.map((job) => [job.id, job]));
  const those = (ids: readonly string[]) => ids.flatMap((id) => byId.get(id) ?? []);
  // One that waited may be over by now.
  return { running: those(running), pending: those(pending).filter(({ outcome }) => outcome === undefined) };
}

interface Window {
  readonly offset: number;
  readonly limit: number;
  /** Counted from the newest, which comes last all the same. */
  readonly fromEnd: boolean;
}

/** ComfyUI's (execution.py, get_history): the last ones, unless there is an offset from the first. */
function window(max: number | undefined, offset: number | undefined): Window {
  if (offset !== undefined && offset >= 0) return { offset, limit: max ?? Infinity, fromEnd: false };
  return { offset: 0, limit: max ?? Infinity, fromEnd: max !== undefined };
}

function integer(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*-?\d{1,15}\s*$/.test(text)) return Number(text);
  throw new BadRequest(`${name} must be a whole number`, 'invalid_query', `got ${JSON.stringify(text)}`);
}

/** Page by page: ten thousand workflows are more than this process should hold at once. */
async function sendHistory(jobs: Jobs, reply: FastifyReply, { offset, limit, fromEnd }: Window) {
  const begin = fromEnd ? Math.max(0, (await jobs.count('ran')) - limit) : offset;
  async function* texts() {
    let separator = '{';
    for (let told = 0; told < limit; told += PAGE) {
      const size = Math.min(PAGE, limit - told);
      const page = await jobs.list({ which: 'ran', first: 'oldest', limit: size, offset: begin + told });
      for (const entry of page.map(historyEntry)) {
        if (entry === undefined) continue;
        yield separator + entry;
        separator = ', ';
      }
      if (page.length < size) break;
    }
    yield separator === '{' ? '{}' : '}';
  }
  return reply.type(JSON_TYPE).send(Readable.from(texts()));
}

const JSON_TYPE = 'application/json; charset=utf-8';

export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type(JSON_TYPE).send(text);
}
