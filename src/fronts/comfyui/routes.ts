/** ComfyUI's API, as of 0.29.0 (its server.py, app/ and api_server/): everything is there under /api, too. */
import serveStatic from '@fastify/static';
import type { FastifyError, FastifyInstance } from 'fastify';
import { Refusal } from '../../jobs/queue.js';
import type { HttpHouse, HttpRoutes } from '../http/room.js';
import { Clients } from './audience.js';
import { editorRoutes, internalRoutes } from './editor.js';
import { jobsApi } from './jobs-api.js';
import { modelRoutes } from './models.js';
import { objectInfoRoutes } from './object-info.js';
import { promptRoutes } from './prompts.js';
import { queueRoutes } from './queue-routes.js';
import { BadRequest, takeBodiesByContent } from './request-body.js';
import { useSchemas } from './schemas.js';
import { socketRoute } from './socket.js';
import { systemRoutes } from './system.js';
import { Teller } from './teller.js';
import { uploadRoutes } from './upload.js';
import { userDataRoutes } from './user-data.js';
import { viewRoute } from './view.js';

export const comfyui: HttpRoutes = async (app, house) => {
  const { jobs, log, settings } = house;
  const clients = new Clients();
  const teller = new Teller(jobs, clients, log);
  const unsubscribe = jobs.subscribe((notice) => {
    teller.hear(notice);
  });
  app.addHook('onClose', () => {
    unsubscribe();
    teller.close();
    clients.close();
  });
  takeBodiesByContent(app);
  useSchemas(app);
  answerFaults(app, house);
  const everything = (scope: FastifyInstance) => {
    promptRoutes(scope, house, teller);
    queueRoutes(scope, house, teller);
    viewRoute(scope, house);
    uploadRoutes(scope, house);
    modelRoutes(scope, house);
    objectInfoRoutes(scope, house);
    systemRoutes(scope, house);
    userDataRoutes(scope, house);
    editorRoutes(scope, house);
    socketRoute(scope, { clients, teller, maxUpload: settings.maxUpload });
  };
  everything(app);
  await app.register(
    async (scope) => {
      everything(scope);
      jobsApi(scope, house, teller);
      await scope.register(
        (inner) => {
          internalRoutes(inner, house);
        },
        { prefix: '/internal' },
      );
    },
    { prefix: '/api' },
  );
  await app.register(
    (scope) => {
      internalRoutes(scope, house);
    },
    { prefix: '/internal' },
  );
  if (settings.webRoot !== undefined) {
    await app.register(serveStatic, {
      root: settings.webRoot,
      decorateReply: false,
      cacheControl: false,
      setHeaders(response, path) {
        // As ComfyUI has it (server.py, get_root; middleware/cache_middleware.py): new versions are seen at once.
        if (path.endsWith('index.html'))
          void response.setHeader('cache-control', 'no-store, must-revalidate');
        else if (/\.(?:js|css)$/.test(path)) void response.setHeader('cache-control', 'no-store');
      },
    });
  }
};

/** Clients read JSON off every answer that is no success, of this shape. */
function answerFaults(app: FastifyInstance, { log }: HttpHouse): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const [status, type] = kindOf(error);
    if (status >= 500 && !(error instanceof Refusal))
      log.error({ err: error, path: request.routeOptions.url }, 'fault while answering');
    const message = status === 500 ? 'the daemon failed to answer; its log says why' : error.message;
    const details = error instanceof BadRequest ? error.details : '';
    return reply.code(status).send({ error: { type, message, details, extra_info: {} }, node_errors: {} });
  });
}

function kindOf(error: FastifyError): readonly [status: number, type: string] {
  if (error instanceof BadRequest) return [400, error.type];
  if (error instanceof Refusal) return [error.status, 'refused'];
  return [error.statusCode ?? 500, error.statusCode === undefined ? 'internal_error' : 'bad_request'];
}
