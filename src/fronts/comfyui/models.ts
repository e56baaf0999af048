/** Models by ComfyUI's folders: `/models`, `/embeddings`, `/experiment/models`, `/view_metadata`. */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ModelError } from '../../models/model-error.js';
import { MODEL_KINDS, type ModelKind } from '../../models/folders/model-folders.js';
import type { HttpHouse } from '../http/room.js';
import { loadSharp } from '../../imaging/load-sharp.js';
import { placeIn } from './named-files.js';
import { isObject } from './request-body.js';

/** Of the JSON at the beginning of a safetensors file, as in ComfyUI. */
const MAX_HEADER = 2 ** 20;

const PICTURES = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.avif'];
/** As many as `/view` decodes. */
const MAX_PIXELS = 2 ** 28;

interface FolderParameters {
  readonly folder: string;
}

export function modelRoutes(app: FastifyInstance, { premises, settings }: HttpHouse): void {
  app.get('/embeddings', () => premises().folders.list('embeddings').map(withoutExtension));
  app.get('/models', () => MODEL_KINDS);
  app.get<{ Params: FolderParameters }>('/models/:folder', (request, reply) => {
    const { folder } = request.params;
    return isKind(folder) ? reply.send(premises().folders.list(folder)) : reply.code(404).send();
  });
  app.get('/experiment/models', () =>
    MODEL_KINDS.map((kind) => ({
      name: kind,
      folders: [join(settings.models, kind)],
      extensions: ['.bin', '.ckpt', '.pkl', '.pt', '.pt2', '.pth', '.safetensors', '.sft'],
    })),
  );
  app.get<{ Params: FolderParameters }>('/experiment/models/:folder', async (request, reply) => {
    const { folder } = request.params;
    if (!isKind(folder)) return reply.code(404).send();
    const { folders } = premises();
    return Promise.all(
      folders.list(folder).map(async (name) => {
        const { mtimeMs, birthtimeMs, size } = await stat(folders.resolve(folder, name));
        return { name, pathIndex: 0, modified: mtimeMs / 1000, created: birthtimeMs / 1000, size };
      }),
    );
  });
  app.get<{ Params: FolderParameters & { readonly index: string; readonly '*': string } }>(
    '/experiment/models/preview/:folder/:index/*',
    async (request, reply) => {
      const { folder, index, '*': name } = request.params;
      const base = isKind(folder) && index === '0' ? join(settings.models, folder) : undefined;
      const model = base === undefined ? undefined : placeIn(base, '.', name);
      const picture = model === undefined ? undefined : await pictureBeside(model);
      return picture === undefined ? reply.code(404).send() : reply.type('image/webp').send(picture);
    },
  );
  app.get<{ Params: FolderParameters; Querystring: { readonly filename?: string } }>(
    '/view_metadata/:folder',
    async (request, reply) => {
      const { folder } = request.params;
      const { filename = '' } = request.query;
      const metadata =
        isKind(folder) && filename.endsWith('.safetensors')
          ? await metadataOf(pathOf(premises().folders, folder, filename))
          : undefined;
      return metadata === undefined ? reply.code(404).send() : reply.send(metadata);
    },
  );
}

/** A picture of a model's name, as people and tools lay them beside models (app/model_manager.py, get_model_previews). */
async function pictureBeside(model: string): Promise<Buffer | undefined> {
  const stem = withoutExtension(basename(model));
  const names = await readdir(dirname(model)).catch(() => []);
  const name = names.find((each) =>
    PICTURES.some((end) => [`${stem}${end}`, `${stem}.preview${end}`].includes(each)),
  );
  if (name === undefined) return undefined;
  const sharp = await loadSharp();
  try {
    return await sharp(join(dirname(model), name), { limitInputPixels: MAX_PIXELS })
      .webp()
      .toBuffer();
  } catch {
    return undefined;
  }
}

function isKind(name: string): name is ModelKind {
  return (MODEL_KINDS as readonly string[]).includes(name);
}

function withoutExtension(name: string): string {
  return name.replace(/\.[^./]*$/, '');
}

function pathOf(
  folders: ReturnType<HttpHouse['premises']>['folders'],
  kind: ModelKind,
  name: string,
): string | undefined {
  try {
    return folders.resolve(kind, name);
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

/** What its maker wrote into a safetensors file. */
async function metadataOf(path: string | undefined): Promise<object | undefined> {
  if (path === undefined) return undefined;
  const file = await open(path);
  try {
    const { buffer: size, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const length = bytesRead === 8 ? size.readBigUInt64LE() : 0n;
    if (length === 0n || length > MAX_HEADER) return undefined;
    const { buffer: header } = await file.read(Buffer.alloc(Number(length)), 0, Number(length), 8);
    const parsed: unknown = JSON.parse(header.toString('utf8'));
    const metadata = isObject(parsed) ? parsed['__metadata__'] : undefined;
    return isObject(metadata) ? metadata : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}
