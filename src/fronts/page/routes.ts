/** latentd's own page: plain files of the package, and what happens to every job. */
import { fileURLToPath } from 'node:url';
import type { FastifyError, FastifyReply } from 'fastify';
import { workflowText } from '../../workflow/file-text.js';
import { WorkflowError } from '../../workflow/faults.js';
import { parseWorkflow } from '../../workflow/parse.js';
import type { Checker } from '../checker.js';
import { Refusal } from '../../jobs/queue.js';
import type { HttpRoutes } from '../http/room.js';
import { PageEvents } from './events.js';

/** Three folders below the package's root from both src/fronts/page and dist/fronts/page. */
const FILES = fileURLToPath(new URL('../../../data/page', import.meta.url));

/** All that the page may load is here. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; media-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export const page: HttpRoutes = (app, { jobs, settings, checker }) => {
  // Files are sent as they are, whatever they call themselves.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => {
    done(null, body);
  });
  app.setErrorHandler((error: FastifyError, _, reply) => {
    if (!(error instanceof WorkflowError)) throw error;
    return reply.code(400).send(error.report);
  });
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
  app.post('/page/workflow', async ({ body }, reply) => {
    const prompt = await promptOf(body as Buffer, checker);
    return reply.type('application/json; charset=utf-8').send(prompt);
  });
  app.get('/page/:name', ({ params }, reply) => send(reply, (params as { readonly name: string }).name));
};

/** The body of a /prompt request for a file: a workflow in either form, or a picture, film or sound that carries one. Throws `WorkflowError`. */
async function promptOf(bytes: Buffer, checker: Checker): Promise<string> {
  const converted = await checker.convert(workflowText(bytes));
  if (converted === undefined) throw new Refusal('the file could not be looked at in time; try it again');
  if (typeof converted !== 'string') throw new WorkflowError(converted);
  return parseWorkflow(converted).extraData.size === 0 ? `{"prompt": ${converted}}` : converted;
}
