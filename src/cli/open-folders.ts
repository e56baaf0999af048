import { ConfigError } from '../config/config-error.js';
import { type Settings } from '../config/settings.js';
import { createFolders, type FolderOptions, type Folders } from '../models/folders/folders.js';
import { ModelError } from '../models/model-error.js';
import type { ExtraModelPath } from '../models/folders/model-folders.js';

/** The folders that the settings name. Throws `ConfigError` when an `extra_model_paths.yaml` among them is no such file. */
export async function openFolders(settings: Settings): Promise<Folders> {
  return createFolders(await folderOptions(settings));
}

/** The same, as data that another process can open them with. */
export async function folderOptions(settings: Settings): Promise<FolderOptions> {
  const extra: ExtraModelPath[] = [];
  if (settings.extraModelPaths.length > 0) {
    // YAML is read only where there is a file of it: its parser is slow to load.
    const { readExtraModelPaths } = await import('../models/folders/extra-model-paths.js');
    try {
      for (const file of settings.extraModelPaths) extra.push(...readExtraModelPaths(file));
    } catch (error) {
      throw error instanceof ModelError ? new ConfigError(error.message) : error;
    }
  }
  const { models, input, output, temp, inputBucket } = settings;
  return { models, input, output, temp, extra, ...(inputBucket.length > 0 && { buckets: inputBucket }) };
}
