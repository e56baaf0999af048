/** AUTOMATIC1111's API, /sdapi/v1 (modules/api/api.py, 1.10). */
import { readFile } from 'node:fs/promises';
import type { FastifyError, FastifyInstance } from 'fastify';
import { z } from 'zod';
import { safeText } from '../../safe-text.js';
import { bytesOf } from '../../workflow/embedded/bytes.js';
import { carriedTexts } from '../../workflow/embedded/texts.js';
import type { HttpRoutes } from '../http/room.js';
import { Desk } from './desk.js';
import { extras, extrasHtml } from './extras.js';
import { HttpFault } from './fault.js';
import { withInfotext } from './from-infotext.js';
import { decodeImage } from './given-images.js';
import { MODULES } from './controlnet.js';
import { findModel, modelName } from './house.js';
import { parseInfotext } from './infotext.js';
import { LISTS } from './lists.js';
import { OptionsFile } from './options-file.js';
import {
  extrasBatchRequest,
  extrasSingleRequest,
  img2imgRequest,
  txt2imgRequest,
  type ExtrasRequest,
} from './request.js';

const PREFIX = '/sdapi/v1';
const TAGS = ['AUTOMATIC1111'];

type Body = Readonly<Record<string, unknown>>;

export const a1111: HttpRoutes = async (app, house) => {
  const options = await OptionsFile.open(house.settings.data, (error) => {
    house.log.warn({ err: error }, "the options of A1111's clients could not be read");
  });
  const desk = new Desk(house, options);
  takeAnyJson(app);
  answerFaults(app, (error, url) => {
    house.log.error({ err: error, url }, "fault while answering an A1111 client's request");
  });
  // What zod checks is told to /openapi.json; ajv would check it a second time, in its own words.
  app.setValidatorCompiler(() => () => true);
  addDrawing(app, desk);
  addExtras(app, desk, () => house.premises().folders);
  addProgress(app, desk);
  addOptions(app, desk, () => house.premises().folders);
  for (const [name, list] of Object.entries(LISTS)) {
    app.get(`${PREFIX}/${name}`, { schema: { tags: TAGS } }, () => list(house.premises().folders));
  }
  // The folders are looked at anew whenever they are listed.
  for (const name of ['checkpoints', 'vae', 'loras', 'embeddings']) {
    app.post(`${PREFIX}/refresh-${name}`, { schema: { tags: TAGS } }, (_, reply) =>
      reply.type('application/json').send('null'),
    );
  }
  for (const name of ['unload', 'reload']) {
    app.post(`${PREFIX}/${name}-checkpoint`, { schema: { tags: TAGS } }, () => ({}));
  }
  for (const name of ['create/embedding', 'create/hypernetwork', 'train/embedding', 'train/hypernetwork']) {
    app.post(`${PREFIX}/${name}`, () => {
      throw new HttpFault(501, 'nothing is trained here');
    });
  }
  addControlNet(app, () => house.premises().folders);
  app.post(`${PREFIX}/interrogate`, { schema: { tags: TAGS } }, () => {
    throw new HttpFault(501, 'pictures are not described here: there is no model that does it');
  });
};

function addDrawing(app: FastifyInstance, desk: Desk): void {
  app.post(`${PREFIX}/txt2img`, { schema: schemaOf(txt2imgRequest) }, async ({ body }) => {
    const request = check(txt2imgRequest, withInfotext(objectOf(body), 'txt2img'));
    const { images, info } = await desk.txt2img(request);
    return { images, parameters: request, info };
  });
  app.post(`${PREFIX}/img2img`, { schema: schemaOf(img2imgRequest) }, async ({ body }) => {
    const request = check(img2imgRequest, withInfotext(objectOf(body), 'img2img'));
    const { images, info } = await desk.img2img(request);
    const { include_init_images, ...told } = request;
    const parameters = include_init_images === true ? told : { ...told, init_images: null, mask: null };
    return { images, parameters, info };
  });
}

function addExtras(app: FastifyInstance, desk: Desk, folders: () => Parameters<typeof extras>[3]): void {
  const run = async (request: ExtrasRequest, encoded: readonly string[]) => {
    const names: string[] = [];
    for (const each of encoded) names.push(await desk.keep(each));
    const { workflow, nodes } = extras(request, names, desk.options.known, folders());
    const load = { model: '', pixels: 512 * 512, steps: 1, images: names.length };
    const saved = await desk.run({ kind: 'extras', workflow, series: undefined, load, samplings: 1 });
    return Promise.all(
      nodes.map(async (node) => {
        const picture = saved.find((each) => each.node === node);
        if (picture === undefined) throw new HttpFault(500, 'interrupted');
        return (await readFile(picture.file.path)).toString('base64');
      }),
    );
  };
  app.post(`${PREFIX}/extra-single-image`, { schema: schemaOf(extrasSingleRequest) }, async ({ body }) => {
    const request = check(extrasSingleRequest, objectOf(body));
    const [image] = await run(request, [request.image]);
    return { html_info: extrasHtml(request), image };
  });
  app.post(`${PREFIX}/extra-batch-images`, { schema: schemaOf(extrasBatchRequest) }, async ({ body }) => {
    const request = check(extrasBatchRequest, objectOf(body));
    const images = await run(
      request,
      request.imageList.map(({ data }) => data),
    );
    return { html_info: extrasHtml(request), images };
  });
  const pngInfoRequest = z.object({ image: z.string() });
  app.post(`${PREFIX}/png-info`, { schema: schemaOf(pngInfoRequest) }, ({ body }) => {
    const { image } = check(pngInfoRequest, objectOf(body));
    const carried = carriedTexts(bytesOf(decodeImage(image.trim())));
    // PNG has it under its name, what has EXIF in the user's comment.
    const { parameters, usercomment, ...items } = Object.fromEntries(carried?.texts ?? []);
    const info = parameters ?? usercomment ?? '';
    return { info, items, parameters: parseInfotext(info) };
  });
}

function addProgress(app: FastifyInstance, desk: Desk): void {
  app.get(`${PREFIX}/progress`, { schema: { tags: TAGS } }, async ({ query }) => {
    // Its oldest client has a name of its own for it.
    const { skip_current_image, skipCurrentImage } = query as Readonly<Record<string, string | undefined>>;
    const skip = skip_current_image ?? skipCurrentImage;
    const report = desk.board.report();
    const { preview } = desk.board;
    if (preview === undefined || /^(?:true|1|yes|on)$/i.test(skip ?? '')) return report;
    // It goes with its job.
    const picture = await readFile(preview).catch(() => undefined);
    return { ...report, current_image: picture?.toString('base64') ?? null };
  });
  app.post(`${PREFIX}/interrupt`, { schema: { tags: TAGS } }, async () => {
    await desk.interrupt();
    return {};
  });
  app.post(`${PREFIX}/skip`, { schema: { tags: TAGS } }, async (_, reply) => {
    await desk.interrupt();
    return reply.type('application/json').send('null');
  });
}

function addOptions(app: FastifyInstance, desk: Desk, folders: () => Parameters<typeof findModel>[0]): void {
  app.get(`${PREFIX}/options`, { schema: { tags: TAGS } }, async () => ({
    ...desk.options.all,
    // A1111 always has one.
    sd_model_checkpoint: await desk.currentCheckpoint(),
  }));
  app.post(`${PREFIX}/options`, { schema: { tags: TAGS } }, async ({ body }, reply) => {
    const changes = objectOf(body);
    const { sd_model_checkpoint: name } = changes;
    if (typeof name === 'string' && findModel(folders(), 'checkpoints', name) === undefined) {
      throw new HttpFault(500, `model ${JSON.stringify(name.slice(0, 200))} not found`);
    }
    await desk.options.set(changes);
    return reply.type('application/json').send('null');
  });
}

/** What sd-webui-controlnet adds to A1111's API. */
function addControlNet(app: FastifyInstance, folders: () => Parameters<typeof findModel>[0]): void {
  app.get('/controlnet/version', { schema: { tags: TAGS } }, () => ({ version: 3 }));
  app.get('/controlnet/model_list', { schema: { tags: TAGS } }, () => ({
    model_list: folders().list('controlnet').map(modelName),
  }));
  app.get('/controlnet/module_list', { schema: { tags: TAGS } }, () => ({
    module_list: MODULES,
    module_detail: {},
  }));
  app.post('/controlnet/detect', () => {
    throw new HttpFault(501, 'nothing is detected in pictures here; send what a preprocessor makes of them');
  });
}

function schemaOf(schema: z.ZodType): { readonly tags: string[]; readonly body: unknown } {
  return { tags: TAGS, body: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) };
}

class InvalidBody extends Error {
  constructor(readonly issues: readonly z.core.$ZodIssue[]) {
    super('the request is not as it should be');
  }
}

function check<Schema extends z.ZodType>(schema: Schema, body: Body): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new InvalidBody(parsed.error.issues);
  return parsed.data;
}

function objectOf(body: unknown): Body {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  throw new HttpFault(422, 'the body must be a JSON object');
}

/** Python's clients send JSON without saying so. */
function takeAnyJson(app: FastifyInstance): void {
  const parse = (_: unknown, text: string | Buffer, done: (error: Error | null, body?: unknown) => void) => {
    try {
      done(null, text.length === 0 ? {} : JSON.parse(String(text)));
    } catch (cause) {
      done(
        new HttpFault(422, `JSON decode error: ${cause instanceof Error ? cause.message : String(cause)}`),
      );
    }
  };
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(['application/json', 'text/plain'], { parseAs: 'string' }, parse);
  app.addContentTypeParser('*', { parseAs: 'string' }, parse);
}

/** FastAPI's form for a request that isn't as it should be, A1111's own for the rest. */
function answerFaults(app: FastifyInstance, log: (error: Error, url: string) => void): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof InvalidBody) {
      const detail = error.issues.slice(0, 20).map(({ code, path, message }) => ({
        type: code,
        loc: ['body', ...path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
        msg: safeText(message, 500),
      }));
      return reply.code(422).send({ detail });
    }
    if (error instanceof HttpFault) {
      const detail = safeText(error.message, 4000);
      return reply
        .code(error.statusCode)
        .send({ error: error.name, detail, body: '', errors: error.statusCode === 500 ? detail : '' });
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) log(error, request.url);
    const detail =
      status >= 500 ? 'the daemon failed to answer; its log says why' : safeText(error.message, 500);
    return reply
      .code(status)
      .send({ error: status >= 500 ? 'Error' : 'HTTPException', detail, body: '', errors: '' });
  });
}
