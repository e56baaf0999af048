/** latentd's own page: plain files of the package, and what happens to every job. */
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';
import type { HttpRoutes } from '../http/room.js';
import { PageEvents } from './events.js';

/** Three folders below the package's root from both src/fronts/page and dist/fronts/page. */
const FILES = fileURLToPath(new URL('../../../data/page', import.meta.url));

/** All that the page may load is here. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; media-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export const page: HttpRoutes = (app, { jobs, settings }) => {
  const events = new PageEvents();
  const unsubscribe = jobs.subscribe((notice) => {
    events.hear(notice);
  });
  app.addHook('onClose', () => {
    unsubscribe();
    events.close();
  });
  const send = (reply: FastifyReply, name: string) =>
    reply
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .sendFile(name, FILES);
  // A copy of ComfyUI's editor takes its place.
  if (settings.webRoot === undefined) app.get('/', (_, reply) => send(reply, 'index.html'));
  app.get('/page', (_, reply) => send(reply, 'index.html'));
  app.get(
    '/events',
    { schema: { tags: ['operations'], summary: 'What happens to every job, as server-sent events' } },
    (_, reply) => reply.type('text/event-stream').header('cache-control', 'no-store').send(events.open()),
  );
  app.get('/page/:name', ({ params }, reply) => send(reply, (params as { readonly name: string }).name));
};
