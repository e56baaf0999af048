/** The parts of a form (multipart/form-data), where one that is broken is its client's fault. */
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

/** What the parser finds wrong has a `statusCode` of 400, where it has none of its own; also what a part's stream fails with. */
export async function* formParts(
  request: FastifyRequest,
  options: Parameters<FastifyRequest['parts']>[0] = {},
): AsyncGenerator<Multipart, void, void> {
  try {
    for await (const part of request.parts(options)) {
      if (part.type === 'file') part.file.on('error', blameClient);
      yield part;
    }
  } catch (error) {
    throw blameClient(error);
  }
}

function blameClient(error: unknown): unknown {
  return error instanceof Error && !('statusCode' in error)
    ? Object.assign(error, { statusCode: 400 })
    : error;
}
