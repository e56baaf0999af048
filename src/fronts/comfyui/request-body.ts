/** What clients send: JSON, whatever they call it. Several say text/plain, or nothing. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A request that is not what its route takes. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';

  constructor(
    message: string,
    readonly type = 'bad_request',
    readonly details = '',
  ) {
    super(message);
  }
}

/** Bodies of any type but multipart are bytes; whoever takes JSON reads it with the functions below. */
export function takeBodiesByContent(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
}

export function bodyText({ body }: FastifyRequest): string {
  return Buffer.isBuffer(body) ? body.toString('utf8') : '';
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that a body is. Throws `BadRequest`. */
export function bodyObject(request: FastifyRequest): JsonObject {
  return readObject(bodyText(request));
}

/** The same of a body that may be missing, or anything. */
export function looseObject(request: FastifyRequest): JsonObject {
  try {
    return bodyObject(request);
  } catch {
    return {};
  }
}

/** The object that a JSON text is. Throws `BadRequest`. */
export function readObject(text: string): JsonObject {
  const value = readJson(text);
  if (isObject(value)) return value;
  throw new BadRequest('The body is not an object', 'invalid_json', 'expected {…}');
}

/** Throws `BadRequest`. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    throw new BadRequest('Not JSON', 'invalid_json', error instanceof Error ? error.message : String(error));
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The texts of a list; empty for anything else. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
