/** What the editor keeps for its user: settings, workflows and other files, below `--data` (app/user_manager.py, app_settings.py). */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { makeFolder } from '../../make-folder.js';
import type { HttpHouse } from '../http/room.js';
import { placeIn } from './named-files.js';
import { bodyText, isObject, readJson, readObject, type JsonObject } from './request-body.js';
import { sendFile } from './view.js';

const SETTINGS_FILE = 'comfy.settings.json';

type Query = Readonly<Record<string, string | undefined>>;

export function userDataRoutes(app: FastifyInstance, { settings }: HttpHouse): void {
  const files = new UserFiles(join(settings.data, 'user', 'default'));
  app.get('/users', async () => ({ storage: 'server', migrated: await files.exists('.') }));
  settingsRoutes(app, files);

  app.get('/userdata', async (request, reply) => {
    const { dir = '', recurse, full_info: full, split } = request.query as Query;
    if (dir === '') return reply.code(400).send('Directory not provided');
    const folder = files.place(dir);
    if (folder === undefined) return reply.code(403).send('Invalid directory');
    if (!(await isFolder(folder))) return reply.code(404).send('Directory not found');
    const paths = (await walk(folder, isYes(recurse))).filter(({ isFile }) => isFile).map(({ path }) => path);
    if (isYes(full)) return Promise.all(paths.map((path) => fileInfo(path, folder)));
    const names = paths.map((path) => slashed(relative(folder, path)));
    return isYes(split) ? names.map((name) => [name, ...name.split('/')]) : names;
  });
  app.get('/v2/userdata', async (request, reply) => {
    const { path: asked = '' } = request.query as Query;
    const folder = asked === '' ? files.root : files.place(asked);
    if (folder === undefined) return reply.code(400).send('Invalid path requested');
    const known = await stat(folder).catch(() => undefined);
    if (known === undefined) {
      return folder === files.root ? [] : reply.code(404).send('Requested path not found');
    }
    if (!known.isDirectory()) return reply.code(400).send('Requested path is not a directory');
    return listAll(folder, files.root);
  });
  app.get<{ Params: { readonly file: string } }>('/userdata/:file', async (request, reply) => {
    const path = files.place(request.params.file);
    if (path === undefined) return reply.code(403).send();
    if (!(await isFile(path))) return reply.code(404).send();
    return sendFile(reply, path).header('content-disposition', 'attachment');
  });
  app.post<{ Params: { readonly file: string } }>('/userdata/:file', async (request, reply) => {
    const path = files.place(request.params.file);
    if (path === undefined) return reply.code(403).send();
    const { overwrite, full_info: full } = request.query as Query;
    if (overwrite === 'false' && (await isFile(path))) return reply.code(409).send('File already exists');
    await writeWhole(path, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    return sendPlace(reply, path, files.root, isYes(full));
  });
  app.delete<{ Params: { readonly file: string } }>('/userdata/:file', async (request, reply) => {
    const path = files.place(request.params.file);
    if (path === undefined) return reply.code(403).send();
    if (!(await isFile(path))) return reply.code(404).send();
    await rm(path);
    return reply.code(204).send();
  });
  app.post<{ Params: { readonly file: string; readonly dest: string } }>(
    '/userdata/:file/move/:dest',
    async (request, reply) => {
      const [from, to] = [files.place(request.params.file), files.place(request.params.dest)];
      if (from === undefined || to === undefined) return reply.code(403).send();
      if (!(await isFile(from))) return reply.code(404).send();
      const { overwrite, full_info: full } = request.query as Query;
      if (overwrite === 'false' && (await isFile(to))) return reply.code(409).send('File already exists');
      makeFolder(dirname(to));
      await rename(from, to);
      return sendPlace(reply, to, files.root, isYes(full));
    },
  );
}

function settingsRoutes(app: FastifyInstance, files: UserFiles): void {
  /** One after the other: each is read, changed and written. */
  let turn: Promise<void> = Promise.resolve();
  const change = (apply: (settings: JsonObject) => JsonObject) => {
    turn = turn.then(async () => {
      await files.writeSettings(apply(await files.settings()));
    });
    const mine = turn;
    turn = turn.catch(() => undefined);
    return mine;
  };
  app.get('/settings', () => files.settings());
  app.get<{ Params: { readonly id: string } }>('/settings/:id', async (request, reply) => {
    const { [request.params.id]: value = null } = await files.settings();
    return reply.type('application/json').send(JSON.stringify(value));
  });
  app.post('/settings', async (request, reply) => {
    const given = readObject(bodyText(request));
    await change((settings) => ({ ...settings, ...given }));
    return reply.send();
  });
  app.post<{ Params: { readonly id: string } }>('/settings/:id', async (request: FastifyRequest, reply) => {
    const { id } = request.params as { readonly id: string };
    const value = readJson(bodyText(request));
    await change((settings) => ({ ...settings, [id]: value }));
    return reply.send();
  });
}

class UserFiles {
  constructor(readonly root: string) {}

  /** Undefined where that is not below the user's folder. Names may be encoded twice, as the editor sends them. */
  place(name: string): string | undefined {
    return placeIn(this.root, '.', decoded(name));
  }

  exists(name: string): Promise<boolean> {
    return stat(join(this.root, name)).then(
      () => true,
      () => false,
    );
  }

  /** None where they can't be read. */
  async settings(): Promise<JsonObject> {
    try {
      const settings: unknown = JSON.parse(await readFile(join(this.root, SETTINGS_FILE), 'utf8'));
      return isObject(settings) ? settings : {};
    } catch {
      return {};
    }
  }

  writeSettings(settings: JsonObject): Promise<void> {
    return writeWhole(join(this.root, SETTINGS_FILE), Buffer.from(JSON.stringify(settings, undefined, 4)));
  }
}

function decoded(name: string): string {
  try {
    return name.includes('%') ? decodeURIComponent(name) : name;
  } catch {
    return name;
  }
}

async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  makeFolder(dirname(path));
  const temporary = join(dirname(path), `.${randomUUID()}`);
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function sendPlace(
  reply: FastifyReply,
  path: string,
  root: string,
  isFull: boolean,
): Promise<FastifyReply> {
  const place = isFull ? await fileInfo(path, root) : slashed(relative(root, path));
  return reply.type('application/json').send(JSON.stringify(place));
}

async function fileInfo(path: string, root: string) {
  const { size, mtimeMs, ctimeMs } = await stat(path);
  return {
    path: slashed(relative(root, path)),
    size,
    modified: Math.trunc(mtimeMs),
    created: Math.trunc(ctimeMs),
  };
}

/** Files and folders, without hidden ones, as Python's glob has them. */
async function walk(
  folder: string,
  isDeep: boolean,
): Promise<{ readonly path: string; readonly isFile: boolean }[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: isDeep });
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .map((entry) => ({ path: join(entry.parentPath, entry.name), isFile: entry.isFile() }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Folders first, each by name. */
async function listAll(folder: string, root: string) {
  const listed = await Promise.all(
    (await walk(folder, true)).map(async ({ path, isFile: isPlain }) => {
      const named = { name: path.slice(path.lastIndexOf(sep) + 1), path: slashed(relative(root, path)) };
      if (!isPlain) return { ...named, type: 'directory' as const };
      const { size, mtimeMs } = await stat(path);
      return { ...named, type: 'file' as const, size, modified: mtimeMs / 1000 };
    }),
  );
  const key = ({ type, name }: (typeof listed)[number]) =>
    `${type === 'directory' ? 0 : 1}${name.toLowerCase()}`;
  return listed.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function isYes(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}
