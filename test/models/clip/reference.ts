/** Prompts and encoded text that ComfyUI made (tools/reference/clip.py). */
import { readFileSync } from 'node:fs';
import type { EmbeddingFiles } from '../../../src/models/text/embeddings.js';
import { embeddingFiles } from '../../../src/models/text/embeddings.js';
import { createFolders } from '../../../src/models/folders/folders.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { fixture } from '../../support/golden.js';

/** A weight as Python prints it. */
export type PythonFloat = string;

export interface ReferencePrompt {
  readonly prompt: string;
  readonly weights: readonly (readonly [text: string, weight: PythonFloat])[];
  /** Sections of token and weight, padding cut off; an embedding's vector is its first two values. */
  readonly rows: readonly (readonly (readonly [token: number | readonly number[], weight: PythonFloat])[])[];
}

export interface ReferenceEncoding {
  readonly model: string;
  readonly text?: string;
  readonly texts?: { readonly l: string; readonly g: string };
  readonly layer?: number;
}

export function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(fixture(`clip/${name}`), 'utf8'));
}

export function parsePythonFloat(text: PythonFloat): number {
  const named: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };
  return named[text] ?? Number(text);
}

/** The embeddings folder of the fixtures. */
export function fixtureEmbeddings(): EmbeddingFiles {
  const folders = createFolders({ models: fixture('clip/models'), input: '/', output: '/', temp: '/' });
  return embeddingFiles(folders, (path) => safetensorsWeights(openSafetensors(path)));
}
