/** What those who run the daemon ask it. */
import type { HttpRoutes } from '../http/room.js';
import { Metrics } from './metrics.js';
import { readiness } from './readiness.js';

const tags = ['operations'];
const open = { open: true };

export const operations: HttpRoutes = (app, { jobs, settings, warmUp, vitals }) => {
  const metrics = new Metrics(jobs);
  const unsubscribe = jobs.subscribe((notice) => {
    metrics.hear(notice);
  });
  app.addHook('onClose', unsubscribe);
  app.get('/health', { config: open, schema: { tags, summary: 'Whether the daemon is alive' } }, () => ({
    status: jobs.isStopping ? 'stopping' : 'ok',
  }));
  app.get(
    '/ready',
    { config: open, schema: { tags, summary: 'Whether it can take jobs; 503 where it can not' } },
    async (_request, reply) => {
      const state = await readiness(jobs, settings, { warmUp, vitals });
      return reply.code(state.ready ? 200 : 503).send(state);
    },
  );
  app.get('/metrics', { schema: { tags, summary: 'What Prometheus reads' } }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.text(await vitals.measures())),
  );
};
