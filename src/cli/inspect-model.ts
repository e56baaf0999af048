/** What a model file is, from its header alone. */
import { statSync } from 'node:fs';
import type { Settings } from '../config/settings.js';
import { elementCount } from '../compute/tensor.js';
import { recogniseCheckpoint } from '../models/families/recognise.js';
import type { Folders } from '../models/folders/folders.js';
import type { ModelKind } from '../models/folders/model-folders.js';
import { ModelError } from '../models/model-error.js';
import { openModelFile } from '../models/files/model-file.js';
import type { SafetensorsFile } from '../models/files/safetensors.js';
import { safetensorsWeights } from '../models/files/safetensors-weights.js';
import { openFolders } from './open-folders.js';

export interface ModelInfo {
  readonly kind: ModelKind;
  /** As a workflow names it. */
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The number format that most of its bytes are in. */
  readonly dtype?: string;
  readonly parameters?: number;
  /** `sdxl`, `sd1 inpainting`, `sd2 v_prediction`, …, for checkpoints. */
  readonly family?: string;
  /** Why the file can't be used. */
  readonly error?: string;
}

/** Everything of these kinds, by kind and name. */
export async function listModels(settings: Settings, kinds: readonly ModelKind[]): Promise<ModelInfo[]> {
  const folders = await openFolders(settings);
  return kinds.flatMap((kind) => folders.list(kind).map((name) => inspectModel(folders, kind, name)));
}

/** Describes a listed file; one that can't be used by what is wrong with it. */
export function inspectModel(folders: Folders, kind: ModelKind, name: string): ModelInfo {
  const path = folders.resolve(kind, name);
  const known = { kind, name, path, size: statSync(path).size };
  try {
    const opened = openModelFile(path);
    try {
      return {
        ...known,
        dtype: dominantDType(opened),
        parameters: countParameters(opened),
        ...(kind === 'checkpoints'
          ? { family: recogniseCheckpoint(safetensorsWeights(opened)).description }
          : {}),
      };
    } finally {
      opened.file.close();
    }
  } catch (error) {
    if (error instanceof ModelError) return { ...known, error: withoutPath(error.message, path) };
    throw error;
  }
}

function dominantDType({ tensors }: SafetensorsFile): string {
  const bytes = new Map<string, number>();
  for (const { dtype, byteLength } of tensors.values())
    bytes.set(dtype, (bytes.get(dtype) ?? 0) + byteLength);
  const [largest] = [...bytes].sort(([, a], [, b]) => b - a);
  return largest?.[0] ?? 'empty';
}

function countParameters({ tensors }: SafetensorsFile): number {
  let count = 0;
  for (const { shape } of tensors.values()) count += elementCount(shape);
  return count;
}

/** The list says which file it is already. */
function withoutPath(message: string, path: string): string {
  return message.startsWith(path) ? message.slice(path.length).replace(/^:?\s*/, '') : message;
}
