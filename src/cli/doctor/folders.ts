/** The folders of the settings, and what lies in them. */
import { existsSync, statSync } from 'node:fs';
import type { Settings } from '../../config/settings.js';
import type { Folders } from '../../models/folders/folders.js';
import { MODEL_KINDS } from '../../models/folders/model-folders.js';
import { openFolders } from '../open-folders.js';
import { whyNotWritable } from '../writable.js';
import { fault, ok, warning, type Check } from './check.js';

export async function checkFolders(settings: Settings): Promise<Check[]> {
  return [
    ...(await checkModels(settings)),
    checkInput(settings.input),
    checkWritable('output', settings.output),
    checkWritable('temp', settings.temp),
  ];
}

async function checkModels(settings: Settings): Promise<Check[]> {
  let folders: Folders;
  try {
    folders = await openFolders(settings);
  } catch (error) {
    return [
      fault(
        'models',
        error instanceof Error ? error.message : String(error),
        'correct the file, or name another',
      ),
    ];
  }
  const counts = MODEL_KINDS.map((kind) => [kind, folders.list(kind).length] as const);
  const present = counts.filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
  const detail = `${settings.models}: ${present.length === 0 ? 'nothing' : present.join(', ')}`;
  if (folders.list('checkpoints').length > 0) return [ok('models', detail)];
  return [
    warning(
      'models',
      existsSync(settings.models) ? detail : `${settings.models} isn't there`,
      `put a .safetensors checkpoint into ${settings.models}/checkpoints, or name a ComfyUI models folder with --models`,
    ),
  ];
}

function checkInput(folder: string): Check {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return ok('input', folder);
  return ok('input', `${folder} isn't there; only workflows that load images need it`);
}

/** A folder that isn't there yet is fine where it can be made. */
function checkWritable(name: string, folder: string): Check {
  const reason = whyNotWritable(folder);
  if (reason !== undefined) return fault(name, reason, `choose another folder with --${name}`);
  return ok(name, existsSync(folder) ? folder : `${folder} (will be made)`);
}
