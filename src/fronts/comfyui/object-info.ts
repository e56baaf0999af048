/** `/object_info`: every node class, with what can be chosen now. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../../jobs/queue.js';
import type { HttpHouse } from '../http/room.js';
import { sendJson } from './queue-routes.js';

interface Described {
  readonly text: string;
  readonly etag: string;
}

export function objectInfoRoutes(app: FastifyInstance, { checker }: HttpHouse): void {
  let last: Described | undefined;
  /** Several ask at once when a daemon is new. */
  let asking: Promise<Described> | undefined;
  const describe = async () => {
    const text = await checker.objectInfo();
    if (text === undefined) throw new Refusal('the node classes could not be listed in time; ask again');
    if (text !== last?.text)
      last = { text, etag: `"${createHash('sha1').update(text).digest('base64url')}"` };
    return last;
  };
  app.get('/object_info', async (request, reply) => {
    asking ??= describe().finally(() => {
      asking = undefined;
    });
    return sendTagged(request, reply, await asking);
  });
  app.get<{ Params: { readonly nodeClass: string } }>('/object_info/:nodeClass', async (request, reply) => {
    const text = await checker.objectInfo(request.params.nodeClass);
    if (text === undefined) throw new Refusal('the node class could not be described in time; ask again');
    return sendJson(reply, text);
  });
}

function sendTagged(request: FastifyRequest, reply: FastifyReply, { text, etag }: Described): FastifyReply {
  reply.header('etag', etag).header('cache-control', 'no-cache');
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known?.includes(etag) === true ? reply.code(304).send() : sendJson(reply, text);
}
