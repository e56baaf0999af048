/** What those who run the daemon ask it. */
import type { HttpRoutes } from '../http/room.js';

export const operations: HttpRoutes = (app, { jobs }) => {
  app.get(
    '/health',
    { config: { open: true }, schema: { tags: ['operations'], summary: 'Whether the daemon is alive' } },
    () => ({ status: jobs.isStopping ? 'stopping' : 'ok' }),
  );
};
