/** Textual inversion: vectors learned for a word that isn't in the vocabulary, named in a prompt by `embedding:NAME`. */
import { posix } from 'node:path';
import { elementCount } from '../../compute/tensor.js';
import type { Folders } from '../folders/folders.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** The files of the embeddings folders. */
export interface EmbeddingFiles {
  /** Names relative to the embeddings folders, `/`-separated. */
  list(): readonly string[];
  /** Throws `ModelError` when there is no such file, or it is damaged. */
  open(name: string): WeightSource;
}

export function embeddingFiles(folders: Folders, open: (path: string) => WeightSource): EmbeddingFiles {
  return {
    list: () => folders.list('embeddings'),
    open: (name) => open(folders.resolve('embeddings', name)),
  };
}

/** Which vectors a text encoder wants. */
export interface EmbeddingUse {
  /** Under which files made for several encoders keep an encoder's. */
  readonly key: string;
  /** Values of each. */
  readonly width: number;
}

/** The vectors in the file that a prompt calls `name`, one a token. Throws `ModelError` when it can't be read. */
export function readEmbedding(
  files: EmbeddingFiles,
  name: string,
  { key, width }: EmbeddingUse,
): Float32Array[] {
  return vectorsOf(files.open(findEmbedding(files.list(), name) ?? name), name, { key, width });
}

/**
 * The file for a name in a prompt. A name is looked for in each folder and each of its subfolders, outermost first,
 * as ComfyUI's load_embed does; it never leads out of them.
 */
export function findEmbedding(files: readonly string[], name: string): string | undefined {
  const present = new Set(files);
  for (const folder of foldersOf(files)) {
    const path = posix.normalize(posix.join(folder, name));
    if (folder !== '' && !path.startsWith(`${folder}/`)) continue;
    if (present.has(path)) return path;
    const extension = ['.safetensors', '.pt', '.bin'].find((ending) => present.has(path + ending));
    if (extension !== undefined) return path + extension;
  }
  return undefined;
}

function foldersOf(files: readonly string[]): string[] {
  const folders = new Set(['']);
  for (const file of files) {
    for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder))
      folders.add(folder);
  }
  const depth = (folder: string) => (folder === '' ? 0 : folder.split('/').length);
  return [...folders].sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

/**
 * ComfyUI comfy/sd1_clip.py, load_embed: textual inversion's own dictionary, all that fit of a list of dictionaries, the encoder's
 * own key, LoRA bundles, else whatever comes first.
 */
function vectorsOf(source: WeightSource, name: string, { key, width }: EmbeddingUse): Float32Array[] {
  const keys = [...source.keys()];
  if (keys.length > 0 && keys.every((each) => listed.test(each))) {
    const fitting = keys.filter((each) => source.weight(each).shape.at(-1) === width);
    if (fitting.length === 0) throw new ModelError(`the embedding ${name} has no vectors of ${width} values`);
    return fitting.flatMap((tensor) => rowsOf(source, tensor));
  }
  const bundled = (suffix: string) =>
    keys.filter((candidate) => candidate.startsWith('bundle_emb.') && candidate.endsWith(suffix));
  const candidates = [
    keys.filter((candidate) => candidate.startsWith('string_to_param.')).slice(0, 1),
    keys.filter((candidate) => candidate === key),
    bundled('.string_to_param.*'),
    bundled(`.${key}`),
    keys.slice(0, 1),
  ];
  const chosen = candidates.find((found) => found.length > 0);
  if (chosen === undefined) throw new ModelError(`the embedding ${name} holds no tensors`);
  return chosen.flatMap((tensor) => rowsOf(source, tensor));
}

/** A tensor in one of a list's dictionaries (torch-file.ts). */
const listed = /^\d+\./;

function rowsOf(source: WeightSource, key: string): Float32Array[] {
  const weight = source.weight(key);
  const values = new Float32Array(elementCount(weight.shape));
  weight.read(values);
  const width = weight.shape.at(-1) ?? 1;
  return Array.from({ length: width === 0 ? 0 : values.length / width }, (_, row) =>
    values.subarray(row * width, (row + 1) * width),
  );
}
