/** What a command line of `latentd pull` asks for, file by file. */
import { basename } from 'node:path';
import type { Settings } from '../../config/settings.js';
import { completeName, type Folders } from '../../models/folders/folders.js';
import { MODEL_KINDS, modelKinds } from '../../models/folders/model-folders.js';
import { wellKnownModels } from '../../models/folders/well-known.js';
import { namedModels, type NamedModel } from '../../pull/named-models.js';
import { WorkflowError } from '../../workflow/faults.js';
import { UsageError } from '../exit-codes.js';
import { readWorkflow } from '../run/read-workflow.js';
import type { PullFlags } from './flags.js';

export interface Wanted {
  /** What to fetch. */
  readonly from: string;
  /** Where the command line, the table or the workflow puts it; its site's word counts otherwise. */
  readonly folder?: string | undefined;
  readonly name?: string | undefined;
  readonly sha256?: string | undefined;
  /** Bytes, roughly. */
  readonly size?: number | undefined;
}

export interface WantedModels {
  readonly wanted: readonly Wanted[];
  /** What the workflow names and is here already. */
  readonly present: readonly string[];
  /** What it names and no address is known of. */
  readonly unknown: readonly string[];
}

/** Throws `UsageError`. */
export async function wantedModels(
  references: readonly string[],
  options: PullFlags,
  settings: Settings,
  folders: Folders,
): Promise<WantedModels> {
  if (references.length === 0 && options.for === undefined)
    throw new UsageError('say what to pull: a reference, or --for WORKFLOW');
  for (const flag of ['as', 'sha256'] as const) {
    if (options[flag] !== undefined && (references.length !== 1 || options.for !== undefined))
      throw new UsageError(`--${flag} is for one reference`);
  }
  if (options.sha256 !== undefined && !/^[\da-f]{64}$/i.test(options.sha256))
    throw new UsageError('--sha256 must be 64 hexadecimal digits');
  const named = references.map((reference) => ({
    ...ofReference(reference, options.folder),
    ...(options.as !== undefined && { name: options.as }),
    ...(options.folder !== undefined && { folder: options.folder }),
    ...(options.sha256 !== undefined && { sha256: options.sha256.toLowerCase() }),
  }));
  if (options.for === undefined) return { wanted: named, present: [], unknown: [] };
  const rest = missingOf(options.for, await textOf(options.for, settings), folders);
  return { ...rest, wanted: [...named, ...rest.wanted] };
}

/** The name alone of a well-known file stands for its address. */
function ofReference(reference: string, folder: string | undefined): Wanted {
  const known = /^[\w.-]+$/.test(reference) ? wellKnownModels(reference, folder) : [];
  if (known.length > 1) {
    const choices = known.map((model) => model.folder).join(' or ');
    throw new UsageError(`there are several ${reference}; say which by --folder ${choices}`);
  }
  return known[0] ?? { from: reference };
}

async function textOf(file: string, settings: Settings): Promise<string> {
  try {
    return (await readWorkflow(file, settings.graphs)).text;
  } catch (error) {
    if (error instanceof WorkflowError) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

function missingOf(file: string, text: string, folders: Folders): WantedModels {
  let workflow: unknown;
  try {
    workflow = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is no workflow: ${error instanceof Error ? error.message : String(error)}`);
  }
  const wanted: Wanted[] = [];
  const present: string[] = [];
  const unknown: string[] = [];
  for (const model of namedModels(workflow)) {
    const found = addressOf(model);
    if (isHere(model, folders)) present.push(model.name);
    else if (found === undefined) unknown.push(model.name);
    else wanted.push(found);
  }
  return { wanted, present, unknown };
}

function isHere({ name, folder }: NamedModel, folders: Folders): boolean {
  const kinds = folder === undefined ? [] : modelKinds(folder);
  return (kinds.length > 0 ? kinds : MODEL_KINDS).some(
    (kind) => completeName(folders.list(kind), name) !== undefined,
  );
}

/** From the table; else the workflow's own word, where it names a site whose files are known by their hashes. */
function addressOf({ name, folder, url }: NamedModel): Wanted | undefined {
  const [known] = wellKnownModels(name, folder);
  if (known !== undefined) return { ...known, name };
  if (url === undefined || !/^https:\/\/(www\.)?(huggingface\.co|hf\.co|civitai\.com)\//.test(url))
    return undefined;
  return { from: url, name: basename(name) === name ? undefined : name, folder };
}
