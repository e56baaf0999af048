import { stat } from 'node:fs/promises';
import type { Folders } from '../../models/folders/folders.js';
import type { ModelKind } from '../../models/folders/model-folders.js';
import type { ModelEntry } from './wire/protocol.js';

const KINDS: readonly (readonly [ModelKind, ModelEntry['model_type']])[] = [
  ['checkpoints', 'checkpoint'],
  ['loras', 'lora'],
  ['vae', 'vae'],
];

/** What requests can name, sorted as people look for it. A file that goes away meanwhile is left out. */
export async function listModels(folders: Folders): Promise<ModelEntry[]> {
  const named = KINDS.flatMap(([kind, modelType]) =>
    folders.list(kind).map((name) => ({ name, path: folders.resolve(kind, name), modelType })),
  );
  const entries = await Promise.all(
    named.map(async ({ name, path, modelType }): Promise<ModelEntry[]> => {
      const file = await stat(path).catch(() => undefined);
      if (file === undefined) return [];
      return [{ name, path, model_type: modelType, size_mb: Math.round(file.size / 2 ** 20) }];
    }),
  );
  return entries.flat().sort((a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
