/** Where well-known model files come from: data/well-known-models.json, for `latentd pull` and what names missing models. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelKinds } from './model-folders.js';

export interface WellKnownModel {
  /** The subfolder of a models folder that it belongs into, as ComfyUI names it. */
  readonly folder: string;
  /** As workflows name it, folders of the user's left out. */
  readonly name: string;
  /** What `latentd pull` takes: `hf:OWNER/REPO/FILE` or an address. */
  readonly from: string;
  /** Bytes; to three digits only where `sha256` is missing. */
  readonly size?: number;
  /** Lower-case hexadecimal. */
  readonly sha256?: string;
}

let table: ReadonlyMap<string, readonly WellKnownModel[]> | undefined;

/**
 * The files of this name, which may have folders before it (`SDXL/base.safetensors`) and is told without regard to case; of several,
 * those of `folder` alone, where it holds one. None for a name that isn't known.
 */
export function wellKnownModels(name: string, folder?: string): readonly WellKnownModel[] {
  table ??= read();
  const named = table.get(fileName(name)) ?? [];
  const fitting = folder === undefined ? [] : named.filter((model) => sameKind(model.folder, folder));
  return fitting.length > 0 ? fitting : named;
}

/** Whether models folders have a subfolder of this name: one of a kind that is known here, or of a well-known file. */
export function isModelFolder(name: string): boolean {
  table ??= read();
  return modelKinds(name).length > 0 || [...table.values()].flat().some(({ folder }) => folder === name);
}

/** ComfyUI's older names of folders mean the newer ones. */
function sameKind(one: string, other: string): boolean {
  if (one === other) return true;
  const kinds = modelKinds(other);
  return modelKinds(one).some((kind) => kinds.includes(kind));
}

function fileName(name: string): string {
  return basename(name.replaceAll('\\', '/')).toLowerCase();
}

function read(): ReadonlyMap<string, readonly WellKnownModel[]> {
  const file = fileURLToPath(new URL('../../../data/well-known-models.json', import.meta.url));
  const models = JSON.parse(readFileSync(file, 'utf8')) as readonly WellKnownModel[];
  const byName = new Map<string, WellKnownModel[]>();
  for (const model of models) {
    const name = fileName(model.name);
    byName.set(name, [...(byName.get(name) ?? []), model]);
  }
  return byName;
}
