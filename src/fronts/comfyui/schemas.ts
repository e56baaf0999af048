/**
 * What the routes of ComfyUI's API take: requests are checked with it before their handlers see them, and /openapi.json shows it. ComfyUI has its own
 * words for some faults, and takes some values in several types: what is unknown here, a handler looks at.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { shorten } from '../../safe-text.js';
import { BadRequest, bodyText } from './request-body.js';

interface RouteSchema {
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** A JSON body, whatever it calls itself. */
  readonly body?: z.ZodType;
  /** The same where its handler checks it, in ComfyUI's words. */
  readonly described?: z.ZodType;
  /** A form, which its handler reads. */
  readonly form?: z.ZodType;
}

const TAGS = ['ComfyUI'];

const text = z.string().optional();
const flag = z.unknown().describe('true or false');
const prompt = z.looseObject({
  prompt: z.unknown().describe("nodes by their ids, in the API's form, or a workflow in the editor's"),
  client_id: z.unknown().optional().describe('who hears of it over /ws'),
  prompt_id: z.unknown().optional().describe('a UUID; one is made where it is left out'),
  number: z.unknown().optional().describe('of waiting prompts, lower ones run first'),
  front: flag.optional(),
  extra_data: z.unknown().optional().describe('kept with it; extra_pnginfo goes into pictures'),
  partial_execution_targets: z.unknown().optional().describe('ids of the output nodes to run'),
});

const picture = z.object({
  image: z.string().meta({ format: 'binary' }),
  type: z.enum(['input', 'output', 'temp']).optional(),
  subfolder: text,
  overwrite: text,
});

const erasing = z.looseObject({ clear: flag.optional(), delete: z.unknown().optional().describe('ids') });

const window = z.object({ max_items: text, offset: text });

/** By method and path; each is under /api, too, or there alone. */
const ROUTES: Readonly<Record<string, RouteSchema>> = {
  'GET /prompt': { summary: 'How long the queue is' },
  'POST /prompt': { summary: 'Run a workflow', described: prompt },
  'GET /queue': { summary: 'What runs and what waits' },
  'POST /queue': { summary: 'Take prompts out of the queue', body: erasing },
  'POST /interrupt': { summary: 'Stop what runs, or one prompt' },
  'POST /free': {
    summary: 'Let models and results go',
    body: z.looseObject({ unload_models: flag.optional(), free_memory: flag.optional() }),
  },
  'GET /history': { summary: 'What has run', query: window },
  'GET /history/:id': { summary: 'How a prompt ended' },
  'POST /history': { summary: 'Forget what has run', body: erasing },
  'GET /jobs': {
    summary: 'Jobs of every state',
    query: z.object({
      ...{ status: text, workflow_id: text, sort_by: text, sort_order: text, limit: text, offset: text },
    }),
  },
  'GET /jobs/:id': { summary: 'A job' },
  'POST /jobs/:id/cancel': { summary: 'End a job' },
  'POST /jobs/cancel': { summary: 'End several jobs, {"job_ids": […]}' },
  'GET /view': {
    summary: 'A picture or another file, its preview, or a channel of it',
    query: z.object({
      ...{ filename: text, subfolder: text, type: text, preview: text, channel: text, rand: text },
    }),
  },
  'POST /upload/image': { summary: 'Send a picture', form: picture },
  'POST /upload/mask': {
    summary: 'Send a mask, which becomes the alpha of a picture',
    form: picture.extend({ original_ref: z.string().describe('{"filename", "subfolder", "type"}') }),
  },
  'GET /object_info': { summary: 'Every node class' },
  'GET /object_info/:nodeClass': { summary: 'A node class' },
  'GET /embeddings': { summary: 'Embeddings by name' },
  'GET /models': { summary: 'Folders of models' },
  'GET /models/:folder': { summary: 'Models of a folder' },
  'GET /experiment/models': { summary: 'Folders of models, and where they lie' },
  'GET /experiment/models/:folder': { summary: 'Models of a folder, with sizes and times' },
  'GET /experiment/models/preview/:folder/:index/*': { summary: 'The picture that lies beside a model' },
  'GET /view_metadata/:folder': {
    summary: 'What its maker wrote into a model',
    query: z.object({ filename: text }),
  },
  'GET /system_stats': { summary: 'The machine' },
  'GET /features': { summary: 'What this server can do' },
  'GET /users': { summary: 'Whose data are kept' },
  'GET /userdata': {
    summary: 'Files of a folder of the user',
    query: z.object({ dir: text, recurse: text, full_info: text, split: text }),
  },
  'GET /v2/userdata': { summary: 'Files and folders of the user', query: z.object({ path: text }) },
  'GET /userdata/:file': { summary: 'A file of the user' },
  'POST /userdata/:file': {
    summary: 'Keep a file',
    query: z.object({ overwrite: text, full_info: text }),
  },
  'DELETE /userdata/:file': { summary: 'Delete a file' },
  'POST /userdata/:file/move/:dest': {
    summary: 'Move a file',
    query: z.object({ overwrite: text, full_info: text }),
  },
  'GET /settings': { summary: 'Settings of the editor' },
  'GET /settings/:id': { summary: 'A setting' },
  'POST /settings': { summary: 'Keep settings', body: z.record(z.string(), z.unknown()) },
  'POST /settings/:id': { summary: 'Keep a setting', body: z.unknown() },
  'GET /extensions': { summary: "Scripts of the editor's extensions" },
  'GET /i18n': { summary: 'Translations' },
  'GET /workflow_templates': { summary: 'Templates of packs' },
  'GET /global_subgraphs': { summary: 'Subgraphs of packs' },
  'GET /node_replacements': { summary: 'What stands for old node classes' },
  'GET /ws': {
    summary: 'What happens, over a WebSocket',
    query: z.object({ clientId: z.unknown().optional() }),
  },
  'GET /internal/logs': { summary: 'Empty: logs go to standard error' },
  'GET /internal/logs/raw': { summary: 'The same' },
  'PATCH /internal/logs/subscribe': { summary: 'The same' },
  'GET /internal/folder_paths': { summary: 'Where checkpoints lie' },
  'GET /internal/files/:type': { summary: 'Files of a folder, the newest first' },
};

/** Routes that are added to `app` from now on are checked, and described once. */
export function useSchemas(app: FastifyInstance): void {
  app.setValidatorCompiler(() => () => true);
  const described = new Set<string>();
  app.addHook('onRoute', (route) => {
    const method = String(route.method);
    const name = `${method} ${route.url.replace(/^\/api(?=\/)/, '')}`;
    const schema = ROUTES[name];
    if (schema === undefined) return;
    const { query, body, described: own, form, summary } = schema;
    const checks = async (request: FastifyRequest) => {
      check(query, request.query);
      if (body !== undefined) check(body, jsonOf(request));
      return Promise.resolve();
    };
    if (query !== undefined || body !== undefined) route.preHandler = checks;
    if (described.has(name)) return;
    described.add(name);
    const shown = body ?? own ?? form;
    route.schema = {
      tags: TAGS,
      summary,
      ...(query !== undefined && { querystring: z.toJSONSchema(query, IN) }),
      ...(shown !== undefined && { body: z.toJSONSchema(shown, IN) }),
      ...(form !== undefined && { consumes: ['multipart/form-data'] }),
    };
  });
}

const IN = { io: 'input', unrepresentable: 'any' } as const;

/** Undefined for what isn't JSON: its handler says so. */
function jsonOf(request: FastifyRequest): unknown {
  try {
    return JSON.parse(bodyText(request).replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

function check(schema: z.ZodType | undefined, value: unknown): void {
  if (schema === undefined || value === undefined) return;
  const parsed = schema.safeParse(value);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? '' : shorten(issue.path.join('.'), 100);
  throw new BadRequest(
    where === '' ? 'The body is not what is taken here' : `${where} is not what is taken here`,
    'invalid_request',
    issue?.message ?? '',
  );
}
