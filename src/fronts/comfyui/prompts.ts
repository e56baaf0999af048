/** `/prompt`: a workflow becomes a job. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Job } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import type { Fault, FaultReport } from '../../workflow/faults.js';
import type { Json } from '../../workflow/literal.js';
import type { PromptReading } from '../checker-worker.js';
import type { HttpHouse } from '../http/room.js';
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

/** What ComfyUI's /prompt says of a workflow that it refuses (execution.py, validate_prompt). */
function refusalBody(report: FaultReport | undefined) {
  const { error } = report ?? NO_OUTPUTS;
  const nodes = nodeErrors(report);
  if (error.type === 'missing_node_type') {
    // The first one, and no others.
    return { error: { ...error, details: error.details.replace(/;.*$/s, '') }, node_errors: {} };
  }
  if (error.type !== 'prompt_outputs_failed_validation') return { error, node_errors: nodes };
  // There, an output's own faults are listed; those of nodes before it are in `node_errors` alone.
  const own = Object.entries(nodes).filter(([id, { dependent_outputs: outputs }]) => outputs.includes(id));
  const details = own.flatMap(([, { errors }]) =>
    errors.map((fault) => `${fault.message}: ${fault.details}`),
  );
  return { error: { ...error, details: details.join('\n') }, node_errors: nodes };
}

/** Without what latentd adds: nearest names, and what was expected where an input is missing. */
function nodeErrors(report: FaultReport | undefined): FaultReport['node_errors'] {
  const nodes = Object.entries(report?.node_errors ?? {});
  return Object.fromEntries(
    nodes.map(([id, node]) => [id, { ...node, errors: node.errors.map(plainFault) }]),
  );
}

function plainFault(fault: Fault): Fault {
  const { type, details, extra_info: info } = fault;
  if (type === 'required_input_missing') {
    return { ...fault, extra_info: { input_name: info['input_name'] ?? null } };
  }
  return { ...fault, details: details.replace(/; nearest: .*$/s, '') };
}

const NO_OUTPUTS: FaultReport = {
  error: { type: 'prompt_no_outputs', message: 'Prompt has no outputs', details: '', extra_info: {} },
  node_errors: {},
};
