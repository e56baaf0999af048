/** What ComfyUI's own editor asks beside: its files of `--web-root`, translations, templates, logs. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { HttpHouse } from '../http/room.js';
import { isFolderType } from './named-files.js';

export function editorRoutes(app: FastifyInstance, { settings }: HttpHouse): void {
  app.get('/extensions', () => (settings.webRoot === undefined ? [] : extensionsOf(settings.webRoot)));
  app.get('/i18n', () => ({}));
  app.get('/workflow_templates', () => ({}));
  app.get('/global_subgraphs', () => ({}));
  app.get('/node_replacements', () => ({}));
}

/** Under /internal, and nowhere else. */
export function internalRoutes(app: FastifyInstance, { premises, settings }: HttpHouse): void {
  app.get('/logs', () => '""');
  app.get('/logs/raw', () => ({ entries: [], size: { cols: 80, rows: 24 } }));
  app.patch('/logs/subscribe', (_request, reply) => reply.send());
  app.get('/folder_paths', () => ({ checkpoints: [join(settings.models, 'checkpoints')] }));
  app.get<{ Params: { readonly type: string } }>('/files/:type', async (request, reply) => {
    const { type } = request.params;
    if (!isFolderType(type)) return reply.code(400).send({ error: 'Invalid directory type' });
    return (await newestFiles(premises().folders[type])).map((name) => `${name} [${type}]`);
  });
}

/** As the editor imports them. */
async function extensionsOf(webRoot: string): Promise<string[]> {
  const folder = join(webRoot, 'extensions');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.js'))
    .map((name) => `/${relative(webRoot, join(folder, name)).split(sep).join('/')}`);
}

async function newestFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  const dated = await Promise.all(
    files.map(async ({ name }) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  return dated.toSorted((a, b) => b.at - a.at).map(({ name }) => name);
}
