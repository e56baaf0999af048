/** MessagePack maps from and to the protocol's messages. */
import { decode, Encoder } from '@msgpack/msgpack';
import type { z } from 'zod';
import {
  MAX_MESSAGE_BYTES,
  MAX_REQUEST_VALUES,
  requestSchema,
  type Reply,
  type Request,
  type Update,
} from './protocol.js';
import { safeLine } from '../../../safe-text.js';
import { structureFault } from './structure.js';

// Whole numbers become MessagePack integers of any size. Its `useBigInt64` would write those from 2^32 on as floats.
const encoder = new Encoder({ ignoreUndefined: true });
const exactEncoder = new Encoder({ ignoreUndefined: true, useBigInt64: true, maxDepth: 250 });

/** A message that is no request; the text says why and is safe to send back. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(message: string) {
    super(safeLine(message, MAX_REASON));
  }
}

/** Characters of what is wrong with a message, which may quote it. */
const MAX_REASON = 500;

/** What the daemon says, as one MessagePack map. The bytes are the caller's own. */
export function encodeMessage(message: Reply | Update): Uint8Array {
  return encoder.encode(message);
}

/** What a client asks; bigints, as seeds are, travel as 64-bit integers. */
export function encodeRequest(message: Readonly<Record<string, unknown>>): Uint8Array {
  return exactEncoder.encode(message);
}

/**
 * Decodes any message of the protocol into a plain map; 64-bit integers become bigints. Throws `ProtocolError`, also for one of
 * more than `maxValues` values in all.
 */
export function decodeMap(bytes: Uint8Array, maxValues = Infinity): Readonly<Record<string, unknown>> {
  const fault = bytes.byteLength === 0 ? 'not MessagePack: it is empty' : structureFault(bytes, maxValues);
  if (fault !== undefined) throw new ProtocolError(`message is ${fault}`);
  let value: unknown;
  try {
    value = decode(bytes, { useBigInt64: true });
  } catch (cause) {
    throw new ProtocolError(
      `message can't be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    throw new ProtocolError('message is not a MessagePack map');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Decodes and checks a request. Throws `ProtocolError` naming the first field that is missing or of the wrong type. */
export function decodeRequest(bytes: Uint8Array): Request {
  if (bytes.byteLength > MAX_MESSAGE_BYTES) {
    throw new ProtocolError(`message of ${bytes.byteLength} bytes is over the limit of ${MAX_MESSAGE_BYTES}`);
  }
  const map = decodeMap(bytes, MAX_REQUEST_VALUES);
  if (typeof map['type'] !== 'string') throw new ProtocolError('message has no text field "type"');
  const result = requestSchema.safeParse(map);
  if (result.success) return result.data;
  throw new ProtocolError(describe(map, map['type'], result.error));
}

function describe(map: Readonly<Record<string, unknown>>, type: string, error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return `invalid ${type} request`;
  if (issue.path[0] === 'type') {
    return `unknown request type "${type.slice(0, 100)}", expected generate, cancel, list_models, list_jobs, status or ping`;
  }
  const [field] = issue.path;
  if (typeof field === 'string' && map[field] == null) return `${type}: field ${field} is missing`;
  return `${type}: field ${issue.path.join('.')}: ${issue.message}`;
}
