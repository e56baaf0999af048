/** `/prompt`: a workflow becomes a job. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Job } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import type { Json } from '../../workflow/literal.js';
import type { PromptReading } from '../checker-worker.js';
import type { HttpHouse } from '../http/room.js';
import { nodeErrors, refusalBody } from './refusal-body.js';
import { BadRequest, bodyText, isObject, readObject, type JsonObject } from './request-body.js';
import { promptMetadata } from './stored-prompt.js';
import type { Teller } from './teller.js';

/** Kept out of histories (execution.py, SENSITIVE_EXTRA_DATA_KEYS), and, as nothing here asks Comfy.org, out of jobs. */
const SENSITIVE = ['auth_token_comfy_org', 'api_key_comfy_org'] as const;

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const MAX_CLIENT_ID = 200;

export function promptRoutes(app: FastifyInstance, house: HttpHouse, teller: Teller): void {
  app.get('/prompt', () => teller.queueInfo());
  app.post('/prompt', (request, reply) => submitPrompt(house, request, reply));
}

async function submitPrompt(
  { jobs, checker }: HttpHouse,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (jobs.isStopping) throw new Refusal('the daemon is stopping; ask again when it is back');
  const text = bodyText(request);
  const body = readObject(text);
  const place = placeOf(body);
  if (!isObject(body['prompt'])) {
    throw new BadRequest('No prompt provided', 'no_prompt', 'No prompt provided');
  }
  const id = promptId(body['prompt_id']);
  const client = clientId(body);
  const source = request.headers['comfy-usage-source'];
  const reading = await checker.readPrompt(text, {
    ...Object.fromEntries(SENSITIVE.map((key) => [key, undefined])),
    ...(body['client_id'] !== undefined && { client_id: body['client_id'] as Json }),
    ...(typeof source === 'string' && !hasUsageSource(body) && { comfy_usage_source: source }),
    create_time: Date.now(),
  });
  if (reading === undefined) throw new Refusal('the workflow could not be looked at in time; ask again');
  const { outputs, report } = reading;
  if (outputs.length === 0) return reply.code(400).send(refusalBody(report));
  const { job } = await jobs.submit(jobOf(id, reading, client, place));
  return reply.send({ prompt_id: id, number: job.place, node_errors: nodeErrors(report) });
}

function jobOf(
  id: string,
  reading: PromptReading,
  client: string | undefined,
  place: Job['place'] | undefined,
): Job {
  return {
    id,
    client: { front: 'comfyui', ...(client !== undefined && { id: client }) },
    priority: 0,
    ...(place !== undefined && { place }),
    task: { workflow: reading.task, reusesOutputs: true },
    load: reading.load,
    metadata: promptMetadata(reading),
  };
}

/** A number of the client's own counts before `front`. */
function placeOf({ number, front }: JsonObject): Job['place'] | undefined {
  if (number === undefined) return isTrue(front) ? 'first' : undefined;
  const value = typeof number === 'number' || typeof number === 'string' ? Number(number) : NaN;
  if (Number.isFinite(value)) return value;
  throw new BadRequest('number must be a number', 'invalid_number', 'lower ones run first');
}

/** As Python has it. */
function isTrue(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function promptId(given: unknown): string {
  if (given === undefined || given === null) return randomUUID();
  if (typeof given === 'string' && UUID.test(given)) return given;
  throw new BadRequest(
    'prompt_id must be a valid UUID',
    'invalid_prompt_id',
    'prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one',
  );
}

/** As in ComfyUI, also one that stands in `extra_data` only. */
function clientId({ client_id: own, extra_data: extra }: JsonObject): string | undefined {
  const id = own ?? (isObject(extra) ? extra['client_id'] : undefined);
  return typeof id === 'string' && id !== '' && id.length <= MAX_CLIENT_ID ? id : undefined;
}

function hasUsageSource({ extra_data: extra }: JsonObject): boolean {
  return isObject(extra) && 'comfy_usage_source' in extra;
}
