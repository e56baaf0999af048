/** Pulls file after file, and tells what became of each. */
import { posix } from 'node:path';
import { settingValues } from '../../config/resolve-settings.js';
import type { Settings } from '../../config/settings.js';
import { destination } from '../../pull/destination.js';
import { download } from '../../pull/download.js';
import { PullError } from '../../pull/pull-error.js';
import { parseReference } from '../../pull/reference.js';
import { locate, type Sites } from '../../pull/sites.js';
import { wellKnownModels } from '../../models/folders/well-known.js';
import { openFolders } from '../open-folders.js';
import { settingsFrom } from '../setting-options.js';
import { formatBytes, print, notice, report } from '../terminal.js';
import { ByteBar } from './byte-bar.js';
import type { PullFlags } from './flags.js';
import { wantedModels, type Wanted } from './wanted.js';

/** A file as `--json` has it. */
export interface PulledFile {
  readonly from: string;
  readonly status: 'pulled' | 'present' | 'would be pulled' | 'failed' | 'interrupted';
  readonly path?: string;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly sha256?: string | undefined;
  readonly error?: string;
}

export interface PullOutcome {
  readonly failed: boolean;
  readonly json: {
    readonly files: readonly PulledFile[];
    /** What the workflow of `--for` names and has already. */
    readonly present: readonly string[];
    /** What it names and no address is known of. */
    readonly unknown: readonly string[];
  };
}

/** Throws `UsageError` and `ConfigError`; what happens to a single file is told in the outcome, and shown unless `--json`. */
export async function pull(
  references: readonly string[],
  options: PullFlags,
  signal: AbortSignal,
): Promise<PullOutcome> {
  const settings = settingValues((await settingsFrom(options)).settings);
  const { wanted, present, unknown } = await wantedModels(
    references,
    options,
    settings,
    await openFolders(settings),
  );
  const files: PulledFile[] = [];
  for (const one of wanted) {
    const file = signal.aborted
      ? ({ from: one.from, status: 'interrupted' } as const)
      : await pullOne(one, options, settings, signal);
    files.push(file);
    if (options.json !== true) show(file);
  }
  if (options.json !== true) {
    for (const name of unknown)
      report(`latentd: no address is known of ${name}; latentd pull ADDRESS fetches it from one`);
    if (options.for !== undefined && wanted.length === 0 && unknown.length === 0)
      report(
        present.length === 0 ? 'this workflow names no models' : 'all models of this workflow are there',
      );
  }
  const failed =
    unknown.length > 0 || files.some(({ status }) => status === 'failed' || status === 'interrupted');
  return { failed, json: { files, present, unknown } };
}

async function pullOne(
  wanted: Wanted,
  options: PullFlags,
  settings: Settings,
  signal: AbortSignal,
): Promise<PulledFile> {
  const { from } = wanted;
  let bar: ByteBar | undefined;
  try {
    const reference = parseReference(from);
    const located = await locate(reference, sitesOf(settings), signal);
    const name = wanted.name ?? nameOf(located.name, from);
    const folder = wanted.folder ?? folderOf(name, located.folder);
    const path = destination(settings.models, folder, name);
    const remote = { ...located, sha256: sameHash(wanted.sha256, located.sha256, from) };
    const size = remote.size ?? wanted.size;
    if (options.dryRun === true)
      return { from, status: 'would be pulled', path, size, sha256: remote.sha256 };
    if (options.json !== true)
      notice(`${from} → ${path}${size === undefined ? '' : `, ${formatBytes(size)}`}`);
    const drawn = (bar = await ByteBar.open(process.stderr, name));
    const { fetched, ...rest } = await download(remote, path, {
      connections: settings.connections,
      signal,
      replace: options.force === true,
      onProgress: (progress) => {
        drawn.see(progress);
      },
    });
    return { from, status: fetched ? 'pulled' : 'present', path, ...rest };
  } catch (error) {
    if (signal.aborted)
      return { from, status: 'interrupted', error: 'stopped; the same command goes on where it was' };
    if (error instanceof PullError || isSystemError(error))
      return { from, status: 'failed', error: error.message };
    throw error;
  } finally {
    bar?.stop();
  }
}

function show({ from, status, path, size, error }: PulledFile): void {
  if (error !== undefined) report(`latentd: ${from}: ${error}`);
  else if (status === 'would be pulled')
    print(`${path ?? ''}${size === undefined ? '' : `  ${formatBytes(size)}`}  ${from}`);
  else if (path !== undefined) print(path);
}

function sitesOf(settings: Settings): Sites {
  const { env } = process;
  return {
    huggingFace: settings.hfEndpoint,
    civitai: settings.civitaiEndpoint,
    huggingFaceToken: nonEmpty(env['HF_TOKEN'] ?? env['HUGGING_FACE_HUB_TOKEN']),
    civitaiToken: nonEmpty(env['CIVITAI_TOKEN'] ?? env['CIVITAI_API_TOKEN']),
  };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** A site's name for a file is a name, not a path. */
function nameOf(name: string | undefined, from: string): string {
  if (name !== undefined) return posix.basename(name.replaceAll('\\', '/'));
  throw new PullError(`${from} says no name; give one by --as`);
}

function folderOf(name: string, folder: string | undefined): string {
  const known = folder ?? wellKnownModels(name)[0]?.folder;
  if (known !== undefined) return known;
  throw new PullError(
    `nothing says what kind of model ${name} is; give its folder, as in --folder checkpoints`,
  );
}

function sameHash(wanted: string | undefined, said: string | undefined, from: string): string | undefined {
  if (wanted === undefined || said === undefined || wanted === said) return wanted ?? said;
  throw new PullError(`${from} has SHA-256 ${said} there, not ${wanted}`);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
