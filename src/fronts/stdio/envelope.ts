/**
 * The two shapes in which hosts ask, a JSON object a line: `{worker_type, method, parameters}`, and `{workerType, command, data,
 * correlationId}`. An answer is `{success, data, error}` in the names that its request was written in.
 */
import { z } from 'zod';
import { shorten } from '../../safe-text.js';
import { StdioFault } from './fault.js';

/** Names of what tells requests apart; whichever one a request has comes back with its answer. */
const ID_NAMES = ['correlationId', 'correlation_id', 'requestId', 'request_id', 'id'] as const;

const envelope = z.looseObject({
  worker_type: z.string().nullish(),
  workerType: z.string().nullish(),
  method: z.string().nullish(),
  command: z.string().nullish(),
  action: z.string().nullish(),
  message_type: z.string().nullish(),
  parameters: z.unknown().optional(),
  data: z.unknown().optional(),
  progress: z.boolean().nullish(),
});

export interface RequestId {
  readonly name: string;
  readonly value: string | number;
}

/** A request as it came. */
export interface Asked {
  readonly id: RequestId | undefined;
  /** Its names, and those of its answer, are written likeThis rather than like_this. */
  readonly isCamel: boolean;
  readonly method: string;
  /** Names are like_this throughout. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Lines that tell how far it is are wanted. */
  readonly wantsProgress: boolean;
}

/** What can be said of a line before it is understood: whom to answer. */
export type Addressee = Pick<Asked, 'id' | 'isCamel'>;

export const NOBODY: Addressee = { id: undefined, isCamel: false };

/** Reads a line. Throws `StdioFault` for one that is no JSON object. */
export function readLine(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new StdioFault('invalid_json', `a line is one JSON object: ${shorten(what)}`);
  }
  if (isObject(value)) return value;
  throw new StdioFault('invalid_json', 'a line is one JSON object, as {"method": "status"}');
}

export function addresseeOf(message: Readonly<Record<string, unknown>>): Addressee {
  const name = ID_NAMES.find((each) => ['string', 'number'].includes(typeof message[each]));
  const id = name === undefined ? undefined : { name, value: message[name] as string | number };
  return { id, isCamel: 'command' in message || 'workerType' in message };
}

/** Throws `StdioFault` for a message that asks nothing. */
export function askedOf(message: Readonly<Record<string, unknown>>): Asked {
  const parsed = envelope.safeParse(message);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const parameter = issue?.path.map(String).join('.') ?? '';
    throw new StdioFault(
      'invalid_request',
      `${parameter}: ${issue?.message ?? 'not as it should be'}`,
      parameter,
    );
  }
  const { method, command, action, message_type: type, parameters, data, progress } = parsed.data;
  const asks = method ?? command ?? action ?? type;
  if (asks === null || asks === undefined || asks === '') {
    throw new StdioFault(
      'invalid_request',
      'a request says what it wants: {"method": "text2img", "parameters": {…}}',
      'method',
    );
  }
  const given = parameters ?? data ?? message['request'] ?? {};
  if (!isObject(given)) {
    throw new StdioFault(
      'invalid_request',
      'parameters: an object is needed',
      parameters === undefined ? 'data' : 'parameters',
    );
  }
  const plain = snakeNames(given) as Readonly<Record<string, unknown>>;
  return {
    ...addresseeOf(message),
    // `sdxl_worker.text2img` is how some hosts log it, and some send it so.
    method: (asks.split('.').at(-1) ?? asks).toLowerCase().replaceAll('-', '_'),
    parameters: plain,
    wantsProgress: progress ?? plain['progress'] === true,
  };
}

export function answer({ id, isCamel }: Addressee, data: unknown): object {
  return { ...idOf(id), success: true, data: isCamel ? camelNames(data) : data, error: null };
}

/** `error` is a text, which is what hosts have a place for; what it is about stands beside it. */
export function refusal({ id, isCamel }: Addressee, { code, message, parameter }: StdioFault): object {
  const details = { error_details: { code, message, ...(parameter !== undefined && { parameter }) } };
  return {
    ...idOf(id),
    success: false,
    data: null,
    error: message,
    ...(isCamel ? (camelNames(details) as object) : details),
  };
}

/** A line on the way to an answer: it has a `type`, and no `success`. */
export function progressLine({ id, isCamel }: Addressee, facts: object): object {
  return { type: 'progress', ...idOf(id), ...((isCamel ? camelNames(facts) : facts) as object) };
}

function idOf(id: RequestId | undefined): object {
  return id === undefined ? {} : { [id.name]: id.value };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How deep names are looked at. A workflow's own are left as they are. */
const MAX_DEPTH = 6;
const VERBATIM = new Set(['workflow', 'inputs']);

function snakeNames(value: unknown): unknown {
  return renamed(value, (name) =>
    name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase(),
  );
}

function camelNames(value: unknown): unknown {
  return renamed(value, (name) =>
    name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

function renamed(value: unknown, rename: (name: string) => string, depth = 0): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename, depth + 1));
  if (!isObject(value) || depth > MAX_DEPTH) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      rename(name),
      VERBATIM.has(name) ? item : renamed(item, rename, depth + 1),
    ]),
  );
}
