/** OpenAI's images API: /v1/images/generations, /v1/images/edits, /v1/models. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { safeText } from '../../safe-text.js';
import { formParts } from '../http/form-parts.js';
import type { HttpRoutes } from '../http/room.js';
import { encoded, OpenAiDesk, type OpenAiJob } from './desk.js';
import { faultBody, OpenAiFault } from './fault.js';
import { keepPicture, type GivenPicture } from './given-pictures.js';
import { choosePreviews } from './partial-images.js';
import { factsOf, formatOf, givesUrls, usageOf } from './replies.js';
import { imageRequest, parseRequest, type ImageRequest, type ImageSize } from './request.js';
import type { EditedPicture } from './workflow.js';

const TAGS = ['OpenAI'];
const MAX_MESSAGE = 2000;

type Edits = EditedPicture & ImageSize;

export const openai: HttpRoutes = (app, house) => {
  const desk = new OpenAiDesk(house);
  answerFaults(app, (error, url) => {
    house.log.error({ err: error, url }, "fault while answering an OpenAI client's request");
  });
  app.setValidatorCompiler(() => () => true);
  const body = z.toJSONSchema(imageRequest, { io: 'input', unrepresentable: 'any' });
  app.post('/v1/images/generations', { schema: { tags: TAGS, body } }, (request, reply) =>
    draw(desk, parseRequest(request.body), undefined, request, reply),
  );
  const file = z.string().meta({ format: 'binary' });
  const form = z.toJSONSchema(imageRequest.extend({ image: file, mask: file.optional() }), {
    io: 'input',
    unrepresentable: 'any',
  });
  const edit = { tags: TAGS, consumes: ['multipart/form-data'], body: form };
  app.post('/v1/images/edits', { schema: edit }, async (request, reply) => {
    const { fields, edits } = await readForm(request, house.premises().folders.temp);
    return draw(desk, fields, edits, request, reply);
  });
  app.post('/v1/images/variations', () => {
    throw new OpenAiFault(404, 'variations are not made here; an edit without a mask comes near', {
      code: 'unsupported',
    });
  });
  app.get('/v1/models', { schema: { tags: TAGS } }, async () => ({
    object: 'list',
    data: await desk.models(),
  }));
  // Names have slashes; OpenAPI has no paths for these.
  app.get('/v1/models/*', ({ params }) => desk.model((params as { readonly '*': string })['*']));
  addPictures(app, desk);
};

/** Addresses that can't be guessed, for whoever was given one: browsers show no token for a picture in a page. */
function addPictures(app: FastifyInstance, desk: OpenAiDesk): void {
  app.get('/v1/images/files/:job/:name', { config: { open: true } }, async ({ params }, reply) => {
    const { job, name } = params as { readonly job: string; readonly name: string };
    const [, index = '', format = ''] = /^(\d{1,4})\.(png|jpeg|webp)$/.exec(name) ?? [];
    const file = index === '' ? undefined : await desk.find(job, Number(index));
    if (file === undefined) throw new OpenAiFault(404, 'there is no such picture, or not any more');
    void reply.type(`image/${format}`).header('cache-control', 'private, max-age=86400');
    if (format === 'png') return reply.send(createReadStream(file.path));
    return reply.send(
      await encoded(file.path, { output_format: format as 'jpeg' | 'webp', output_compression: 100 }),
    );
  });
}

async function draw(
  desk: OpenAiDesk,
  fields: ImageRequest,
  edits: Edits | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if (fields.stream === true) return stream(desk, fields, edits, reply);
  const job = await desk.submit(fields, edits, () => undefined);
  const leave = cancelWhenGone(desk, job, reply);
  const files = await job.pictures.finally(leave);
  const data = await Promise.all(
    files.map(async ({ path, artifact }, index) =>
      givesUrls(fields)
        ? { url: (await desk.signed(artifact, fields)) ?? addressOf(request, job, index, fields) }
        : { b64_json: (await encoded(path, fields)).toString('base64') },
    ),
  );
  return {
    created: Math.floor(Date.now() / 1000),
    ...factsOf(fields, job.size),
    data,
    usage: usageOf(fields, data.length),
  };
}

function addressOf(request: FastifyRequest, { id }: OpenAiJob, index: number, fields: ImageRequest): string {
  return `${request.protocol}://${request.host}/v1/images/files/${id}/${index}.${formatOf(fields)}`;
}

/** Server-sent events, named and shaped as OpenAI's. */
async function stream(
  desk: OpenAiDesk,
  fields: ImageRequest,
  edits: Edits | undefined,
  reply: FastifyReply,
): Promise<unknown> {
  const kind = edits === undefined ? 'image_generation' : 'image_edit';
  const events = new PassThrough();
  let size: ImageSize = { width: 0, height: 0 };
  let sending = Promise.resolve();
  const send = (type: string, body: () => Promise<object | undefined>) => {
    sending = sending.then(async () => {
      const told = await body();
      if (told === undefined) return;
      const data = { type, created_at: Math.floor(Date.now() / 1000), ...told };
      events.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    });
  };
  const picture = async (path: string) => ({
    b64_json: (await encoded(path, fields)).toString('base64'),
    ...factsOf(fields, size),
  });
  const hear = choosePreviews(fields.partial_images ?? 0, (path, partial_image_index) => {
    // Read at once: it goes with its job.
    const bytes = readFile(path).catch(() => undefined);
    send(`${kind}.partial_image`, async () => {
      const preview = await bytes;
      if (preview === undefined) return undefined;
      const b64_json = preview.toString('base64');
      return { partial_image_index, b64_json, ...factsOf(fields, size), output_format: 'png' };
    });
  });
  const job = await desk.submit(fields, edits, hear);
  size = job.size;
  const leave = cancelWhenGone(desk, job, reply);
  const finish = async () => {
    try {
      const files = await job.pictures;
      for (const { path } of files) {
        send(`${kind}.completed`, async () => ({ ...(await picture(path)), usage: usageOf(fields, 1) }));
      }
      await sending;
    } catch (error) {
      const fault =
        error instanceof OpenAiFault ? error : new OpenAiFault(500, 'the daemon failed to answer');
      const { message, statusCode, details } = fault;
      const data = faultBody(statusCode, safeText(message, MAX_MESSAGE), details);
      events.write(`event: error\ndata: ${JSON.stringify({ type: 'error', ...data })}\n\n`);
    } finally {
      leave();
      events.end();
    }
  };
  void finish();
  return reply.type('text/event-stream').header('cache-control', 'no-store').send(events);
}

/** Nobody can have the pictures of a request whose client went away. Returns what ends the watch. */
function cancelWhenGone(desk: OpenAiDesk, { id }: OpenAiJob, { raw }: FastifyReply): () => void {
  const gone = () => {
    if (!raw.writableFinished) void desk.cancel(id).catch(() => undefined);
  };
  raw.once('close', gone);
  return () => raw.off('close', gone);
}

/** A multipart form: `image` or `image[]`, `mask`, and the fields of a request. */
async function readForm(
  request: FastifyRequest,
  temp: string,
): Promise<{ readonly fields: ImageRequest; readonly edits: Edits }> {
  if (!request.isMultipart()) throw new OpenAiFault(400, 'an edit is a multipart form with image and prompt');
  const fields: Record<string, unknown> = {};
  const images: GivenPicture[] = [];
  let mask: GivenPicture | undefined;
  for await (const part of formParts(request)) {
    if (part.type === 'field') fields[part.fieldname] = part.value;
    else if (/^image(?:\[\d*\])?$/.test(part.fieldname)) {
      images.push(await keepPicture(temp, await part.toBuffer(), 'image'));
    } else if (part.fieldname === 'mask') mask = await keepPicture(temp, await part.toBuffer(), 'mask');
    else await part.toBuffer();
  }
  const [image, ...more] = images;
  if (image === undefined)
    throw new OpenAiFault(400, "Missing required parameter: 'image'.", { param: 'image' });
  if (more.length > 0) throw new OpenAiFault(400, 'one picture is edited at a time here', { param: 'image' });
  if (mask !== undefined && !mask.isCut) {
    throw new OpenAiFault(400, 'Invalid mask image: it is transparent where the picture is to change', {
      param: 'mask',
      code: 'invalid_mask_image',
    });
  }
  // As OpenAI's older models have it, a picture with transparent parts is its own mask.
  const cut = mask ?? (image.isCut ? image : undefined);
  const { width, height, name } = image;
  return { fields: parseRequest(fields), edits: { width, height, image: name, mask: cut?.name } };
}

function answerFaults(app: FastifyInstance, log: (error: Error, url: string) => void): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof OpenAiFault) {
      const body = faultBody(error.statusCode, safeText(error.message, MAX_MESSAGE), error.details);
      return reply.code(error.statusCode).send(body);
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) log(error, request.url);
    const message = status >= 500 ? 'the daemon failed to answer; its log says why' : error.message;
    return reply.code(status).send(faultBody(status, safeText(message, MAX_MESSAGE)));
  });
}
