/**
 * Comfy API v2 (`/api/v2`), as its specification 2.0.0 has it: jobs that are asked for or listened to, and assets. On the same queue as everything;
 * jobs of other clients can be asked for as well.
 */
import { createHash, randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal } from '../../../jobs/queue.js';
import type { Literal } from '../../../workflow/literal.js';
import { formParts } from '../../http/form-parts.js';
import type { HttpHouse, HttpRoutes } from '../../http/room.js';
import { nodeErrors, refusalBody } from '../refusal-body.js';
import { bodyText, takeBodiesByContent } from '../request-body.js';
import { promptMetadata, storedPrompt } from '../stored-prompt.js';
import { AssetDesk } from './asset-desk.js';
import { EventStreams } from './event-streams.js';
import { ApiFault, faultBody, notFound } from './fault.js';
import { Idempotency } from './idempotency.js';
import { JobDesk, type Locate } from './job-desk.js';
import { check, fromHash, submission, upload, uploadFields } from './schemas.js';
import { Shelf, type Arrival } from './shelf.js';
import { readBody, withAssetNames } from './workflow-assets.js';

const PREFIX = '/api/v2';
const tags = ['Comfy API v2'];
/** Seconds until a client whose job found no room should ask again. */
const RETRY_AFTER = 2;

interface Room {
  readonly house: HttpHouse;
  readonly jobs: JobDesk;
  readonly assets: AssetDesk;
  readonly shelf: Shelf;
}

export const comfyApiV2: HttpRoutes = (app, house) => {
  const shelf = new Shelf(join(house.settings.data, 'assets'));
  const jobs = new JobDesk(house, shelf);
  const streams = new EventStreams(jobs);
  const room: Room = { house, jobs, shelf, assets: new AssetDesk(house, shelf, jobs) };
  const unsubscribe = house.jobs.subscribe((notice) => {
    // Streams tell of an end what is known of it before it is forgotten.
    if (notice.kind === 'over') streams.hear(notice);
    jobs.hear(notice);
    if (notice.kind !== 'over') streams.hear(notice);
  });
  app.addHook('onClose', () => {
    unsubscribe();
    streams.close();
    shelf.close();
  });
  takeBodiesByContent(app);
  app.setValidatorCompiler(() => () => true);
  answerFaults(app, house);
  jobRoutes(app, room, streams);
  assetRoutes(app, room);
};

type ById = { Params: { readonly id: string } };

function jobRoutes(app: FastifyInstance, room: Room, streams: EventStreams): void {
  const { house, jobs } = room;
  const { replays } = { replays: house.settings.idempotency === 'replay' };
  const keys = new Idempotency(room.shelf, replays, async (id) => (await jobs.find(id)) !== undefined);
  const find = async (id: string) => {
    const job = await jobs.find(id);
    if (job === undefined) throw notFound('job');
    return job;
  };
  const body = z.toJSONSchema(submission, { io: 'input', unrepresentable: 'any' });
  app.post(`${PREFIX}/jobs`, { schema: { tags, summary: 'Run a workflow', body } }, (request, reply) =>
    submit(room, keys, request, reply),
  );
  app.get<ById>(
    `${PREFIX}/jobs/:id`,
    { schema: { tags, summary: 'A job: how far it is, and what it saved' } },
    async (request) => jobs.show(await find(request.params.id), locator(request)),
  );
  app.get<ById>(
    `${PREFIX}/jobs/:id/workflow`,
    { schema: { tags, summary: 'What a job runs' } },
    async ({ params }, reply) => {
      const [job] = await house.jobs.recall([params.id]);
      if (job === undefined) throw notFound('job');
      return sendText(reply, `{"workflow": ${storedPrompt(job).prompt}, "format": "api"}`);
    },
  );
  app.get<ById>(
    `${PREFIX}/jobs/:id/events`,
    { schema: { tags, summary: 'What happens to a job, as server-sent events' } },
    async (request, reply) => {
      const stream = await streams.open(request.params.id, locator(request));
      if (stream === undefined) throw notFound('job');
      return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream);
    },
  );
  app.post<ById>(`${PREFIX}/jobs/:id/cancel`, { schema: { tags, summary: 'End a job' } }, async (request) => {
    const { id } = request.params;
    const job = await find(id);
    if (job.outcome === undefined) await jobs.cancel(job);
    return jobs.show(await find(id), locator(request));
  });
}

/** Throws `ApiFault` and `Refusal`. */
async function submit(
  { house, jobs, assets }: Room,
  keys: Idempotency,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (house.jobs.isStopping) throw new Refusal('the daemon is stopping; ask again when it is back');
  const text = bodyText(request);
  const body = readBody(text);
  check(submission, JSON.parse(text.replace(/^\ufeff/, '')), 'invalid_request');
  const workflow = body.get('workflow') as Literal & ReadonlyMap<string, Literal>;
  if (Array.isArray(workflow.get('nodes')) && workflow.has('links')) {
    throw new ApiFault(
      422,
      'workflow_format_ui',
      "this is a workflow in the editor's form (nodes, links): export it in the API's",
    );
  }
  const id = randomUUID();
  const named = await withAssetNames(workflow, (asset) => assets.nameFor(asset, id));
  const reading = await house.checker.readPrompt(`{"prompt": ${named}}`, { create_time: Date.now() });
  if (reading === undefined) throw new Refusal('the workflow could not be looked at in time; ask again');
  const { report, outputs, task, load } = reading;
  if (outputs.length === 0) {
    const { error, node_errors: nodes } = refusalBody(report);
    const message = error.details === '' ? error.message : `${error.message}: ${error.details}`;
    throw new ApiFault(422, 'invalid_workflow', message, { node_errors: nodes });
  }
  const answer = await keys.answer({ key: keyOf(request), digest: digestOf(named), made: id }, async () => {
    await house.jobs.submit({
      id,
      client: { front: 'comfyui' },
      priority: 0,
      task: { workflow: task, reusesOutputs: true },
      load,
      metadata: promptMetadata(reading),
    });
    const job = await jobs.find(id);
    if (job === undefined) throw new Error(`the job ${id} is gone as soon as it was accepted`);
    return { status: 201, body: jobs.show(job, locator(request)) };
  });
  if (report !== undefined)
    house.log.info({ job: id, nodes: Object.keys(nodeErrors(report)) }, 'outputs are left out');
  return sendAnswer(reply, answer);
}

function assetRoutes(app: FastifyInstance, room: Room): void {
  const { house, assets, shelf } = room;
  const exists = (id: string) => Promise.resolve(shelf.get(id) !== undefined);
  const keys = new Idempotency(shelf, house.settings.idempotency === 'replay', exists);
  const form = z.toJSONSchema(upload, { io: 'input', unrepresentable: 'any' });
  const schema = { tags, summary: 'Send a file', consumes: ['multipart/form-data'], body: form };
  app.post(`${PREFIX}/assets`, { schema }, async (request, reply) => {
    const { fields, arrival } = await readForm(request, assets);
    try {
      const made = randomUUID();
      const digest = digestOf(`${arrival.hash}\n${fields.file_path}\n${fields.content_type}`);
      const answer = await keys.answer({ key: keyOf(request), digest, made }, async () => {
        const [asset, isNew] = await assets.add(made, arrival, fields);
        const shown = { ...assets.describe(asset, locator(request)), created_new: isNew };
        return { status: isNew ? 201 : 200, body: shown };
      });
      return await sendAnswer(reply, answer);
    } finally {
      await assets.discard(arrival);
    }
  });
  const body = z.toJSONSchema(fromHash, { io: 'input', unrepresentable: 'any' });
  app.post(
    `${PREFIX}/assets/from-hash`,
    { schema: { tags, summary: 'Name a file that is here already', body } },
    (request, reply) => {
      const given = check(fromHash, jsonOf(bodyText(request)), 'invalid_request');
      const [asset, isNew] = assets.mint(given);
      const shown = { ...assets.describe(asset, locator(request)), created_new: false };
      return reply.code(isNew ? 201 : 200).send(shown);
    },
  );
  app.head<{ Params: { readonly hash: string } }>(
    `${PREFIX}/assets/by-hash/:hash`,
    { schema: { tags, summary: 'Whether a file is here' } },
    ({ params }, reply) => {
      const isHere = /^blake3:[\da-f]{64}$/.test(params.hash) && assets.has(params.hash);
      return reply.code(isHere ? 200 : 404).send();
    },
  );
  app.get<ById>(`${PREFIX}/assets/:id`, { schema: { tags, summary: 'An asset' } }, (request) =>
    assets.show(request.params.id, locator(request)),
  );
  app.delete<ById>(
    `${PREFIX}/assets/:id`,
    { schema: { tags, summary: 'Delete an asset' } },
    async ({ params }, reply) => {
      await assets.delete(params.id);
      return reply.code(204).send();
    },
  );
  app.get<ById>(
    `${PREFIX}/assets/:id/content`,
    { schema: { tags, summary: "An asset's file, with ranges and an ETag" } },
    async ({ params }, reply) => {
      const content = await assets.content(params.id);
      void reply.header('x-content-type-options', 'nosniff');
      if ('redirect' in content) return reply.redirect(content.redirect);
      if ('text' in content) return reply.type('text/plain; charset=utf-8').send(content.text);
      const { path, name, contentType } = content;
      return reply
        .type(contentType)
        .header(
          'content-disposition',
          `attachment; filename="${name.replaceAll(/["\\]|[^\x20-\x7e]/g, '_')}"`,
        )
        .sendFile(basename(path), dirname(path), { contentType: false, dotfiles: 'allow' });
    },
  );
}

/** Throws `ApiFault`; nothing is left of what arrived then. */
async function readForm(
  request: FastifyRequest,
  assets: AssetDesk,
): Promise<{ readonly fields: z.infer<typeof uploadFields>; readonly arrival: Arrival }> {
  if (!request.isMultipart())
    throw new ApiFault(422, 'invalid_request', 'expected a form (multipart/form-data)');
  const given: Record<string, unknown> = {};
  let arrival: Arrival | undefined;
  try {
    for await (const part of formParts(request)) {
      if (part.type === 'field') given[part.fieldname] = part.value;
      else if (part.fieldname === 'file' && arrival === undefined) {
        arrival = await assets.receive(part.file);
        if (part.file.truncated) {
          throw new ApiFault(413, 'too_large', 'the file is larger than this server takes; see --max-upload');
        }
      } else part.file.resume();
    }
    if (arrival === undefined) throw new ApiFault(422, 'invalid_request', 'the form has no file called file');
    return { fields: check(uploadFields, given, 'invalid_request'), arrival };
  } catch (error) {
    if (arrival !== undefined) await assets.discard(arrival);
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiFault(422, 'invalid_request', 'the body is not JSON');
  }
}

function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  return Array.isArray(key) ? key.join(',') : key;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function locator(request: FastifyRequest): Locate {
  return (path) => `${request.protocol}://${request.host}${path}`;
}

function sendAnswer(
  reply: FastifyReply,
  { status, body, isReplay }: Awaited<ReturnType<Idempotency['answer']>>,
): FastifyReply {
  if (isReplay) void reply.header('idempotency-replayed', 'true');
  return sendText(reply.code(status), body);
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}

function answerFaults(app: FastifyInstance, { log }: HttpHouse): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ApiFault) {
      return reply.code(error.statusCode).send(faultBody(error.code, error.message, error.details));
    }
    if (error instanceof Refusal) {
      // A client that is told 429 asks again by itself.
      return reply.code(429).header('retry-after', RETRY_AFTER).send(faultBody('queue_full', error.message));
    }
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(faultBody('invalid_request', error.message));
    log.error({ err: error, path: request.routeOptions.url }, 'fault while answering');
    return reply
      .code(status)
      .send(faultBody('upstream_error', 'the daemon failed to answer; its log says why'));
  });
}
