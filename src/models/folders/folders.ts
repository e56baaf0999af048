import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { nearestHint } from '../../nearest-names.js';
import { copyPath, objectName } from '../../store/object-name.js';
import { shorten } from '../../safe-text.js';
import { FolderListing, type Listing } from './folder-listing.js';
import { ModelError } from '../model-error.js';
import { findVocabulary, type VocabularyName } from './vocabulary-files.js';
import { MODEL_KINDS, searchFolders, type ExtraModelPath, type ModelKind } from './model-folders.js';

/** Where models, inputs and outputs lie. Names from a workflow never lead out of their folder. */
export interface Folders {
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  /** Buckets that inputs may be read from, as `s3://BUCKET/KEY`; none when left out. */
  readonly buckets?: readonly string[];
  /** Names relative to the kind's folders, `/`-separated, sorted; files with the kind's own extensions only. */
  list(kind: ModelKind): readonly string[];
  /**
   * Absolute path of a listed name, which may lack its extension. Throws `ModelError` with the nearest names when there is
   * none.
   */
  resolve(kind: ModelKind, name: string): string;
  /** Absolute path of a vocabulary that the user has. Throws `ModelError` saying which file is needed and where it is looked for. */
  resolveVocabulary(name: VocabularyName): string;
  /** File names in the input folder. */
  listInput(): readonly string[];
  /**
   * Absolute path of a file named by a workflow, `NAME`, `SUB/NAME`, or ComfyUI's annotated `NAME [input|output|temp]`; of
   * `s3://BUCKET/KEY`, that of its copy, which the engine makes before a run.
   */
  resolveInput(name: string): string;
}

/** An input file that a workflow names and that isn't there, or lies outside the folders it may name. */
export class InputFileError extends Error {
  override readonly name = 'InputFileError';
}

export interface FolderOptions {
  /** ComfyUI's models folder. */
  readonly models: string;
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  /** Buckets that inputs may be read from. */
  readonly buckets?: readonly string[];
  /** Further folders of models, from `extra_model_paths.yaml`. */
  readonly extra?: readonly ExtraModelPath[];
}

/** Files that ComfyUI lists as models (folder_paths.py, supported_pt_extensions), and ComfyUI-GGUF. */
const LOADABLE = new Set(['.safetensors', '.sft', '.ckpt', '.pt', '.pt2', '.pth', '.bin', '.pkl', '.gguf']);

/** Lists of words that prompts choose from. */
const OF_WORDS = new Set(['.txt', '.yaml', '.yml']);

/** Kinds whose files are others. */
const OF_KIND: Partial<Readonly<Record<ModelKind, ReadonlySet<string>>>> = {
  wildcards: OF_WORDS,
  rembg: new Set(['.onnx']),
  onnx: new Set(['.onnx']),
  annotators: new Set([...LOADABLE, '.onnx']),
};

/** The folders on this machine. Nothing is read or made until it is asked for. */
export function createFolders(options: FolderOptions): Folders {
  return new DiskFolders(options);
}

/**
 * The listed name that a user means by `name`: itself, or the one it becomes with a model file's extension, or with the slashes of
 * this system where a workflow comes from Windows. Undefined when there is none.
 */
export function completeName(names: readonly string[], name: string): string | undefined {
  return findName(names, name) ?? (name.includes('\\') ? findName(names, withSlashes(name)) : undefined);
}

/** `SDXL\base.safetensors` as `SDXL/base.safetensors`. */
export function withSlashes(name: string): string {
  return name.replaceAll('\\', '/');
}

function findName(names: readonly string[], name: string): string | undefined {
  if (names.includes(name)) return name;
  return names.find((listed) => LOADABLE.has(extname(listed).toLowerCase()) && stem(listed) === name);
}

interface KindFolders {
  readonly folders: readonly string[];
  readonly listing: FolderListing;
  /** The listing that `names` was made from. */
  source?: Listing;
  names: readonly string[];
}

class DiskFolders implements Folders {
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  readonly buckets: readonly string[];
  /** Models folders: the one that is set, and those that further folders lie in. */
  private readonly roots: readonly string[];
  private readonly kinds = new Map<ModelKind, KindFolders>();

  constructor(options: FolderOptions) {
    this.input = resolve(options.input);
    this.output = resolve(options.output);
    this.temp = resolve(options.temp);
    this.buckets = options.buckets ?? [];
    const search = searchFolders(options.models, options.extra ?? []);
    const extra = options.extra ?? [];
    this.roots = [...new Set([resolve(options.models), ...extra.map(({ path }) => dirname(path))])];
    for (const kind of MODEL_KINDS) {
      const folders = search.get(kind) ?? [];
      this.kinds.set(kind, { folders, listing: new FolderListing(folders), names: [] });
    }
  }

  list(kind: ModelKind): readonly string[] {
    const entry = this.kinds.get(kind)!;
    const files = entry.listing.list();
    if (entry.source !== files) {
      const extensions = OF_KIND[kind] ?? LOADABLE;
      entry.names = [...files.keys()].filter((name) => extensions.has(extname(name).toLowerCase())).sort();
      entry.source = files;
    }
    return entry.names;
  }

  resolve(kind: ModelKind, name: string): string {
    const listed = completeName(this.list(kind), name);
    const files = this.kinds.get(kind)!.listing.list();
    const path = listed === undefined ? undefined : files.get(listed);
    if (path !== undefined) return path;
    throw new ModelError(this.explainMissing(kind, name));
  }

  resolveVocabulary(name: VocabularyName): string {
    return findVocabulary(this.roots, name);
  }

  listInput(): readonly string[] {
    if (!existsSync(this.input)) return [];
    return readdirSync(this.input)
      .filter((name) => isFile(join(this.input, name)))
      .sort();
  }

  resolveInput(name: string): string {
    const object = objectName(name);
    if (object !== undefined && this.buckets.includes(object.bucket)) {
      const copy = copyPath(this.temp, object);
      if (isFile(copy)) return copy;
      throw new InputFileError(`${JSON.stringify(shorten(name))} was not fetched`);
    }
    const annotated = /^(.*?) ?\[(input|output|temp)\]$/s.exec(name);
    const file = annotated?.[1] ?? name;
    const kind = (annotated?.[2] ?? 'input') as 'input' | 'output' | 'temp';
    const folder = this[kind];
    if (leadsOut(file)) {
      throw new InputFileError(
        `${JSON.stringify(shorten(name))} leads out of the ${kind} folder; give a file name below ${folder}`,
      );
    }
    const path = join(folder, file);
    if (isFile(path)) return path;
    const hint = kind === 'input' ? nearestHint(file, this.listInput()) : '';
    throw new InputFileError(
      `no file ${JSON.stringify(shorten(file))} in the ${kind} folder ${folder}${hint}`,
    );
  }

  private explainMissing(kind: ModelKind, name: string): string {
    const quoted = JSON.stringify(shorten(name));
    if (leadsOut(name))
      return `${quoted} leads out of the ${kind} folder; give a name as \`latentd models\` lists it`;
    const names = this.list(kind);
    const where = this.kinds.get(kind)!.folders.join(', ');
    if (names.length === 0) return `no ${kind} file ${quoted}: there are no model files in ${where}`;
    const whole = LOADABLE.has(extname(name).toLowerCase());
    return `no ${kind} file ${quoted} in ${where}${nearestHint(name, names, whole ? undefined : stem)}`;
  }
}

function stem(name: string): string {
  const extension = extname(name);
  return extension === '' ? name : name.slice(0, -extension.length);
}

/** Whether a client's name is absolute, climbs, or can't be a file name at all. */
function leadsOut(name: string): boolean {
  return name === '' || name.startsWith('/') || name.includes('\0') || name.split(/[/\\]/).includes('..');
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
