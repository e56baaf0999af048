/** Fixtures made by `tools/reference`: tensors, and in the file's metadata the cases that use them. */
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { fixture, goldenTensors, type GoldenTensors } from './golden.js';

export interface ReferenceCases<Case> {
  readonly cases: readonly Case[];
  readonly tensor: GoldenTensors;
}

/** Opens a `.safetensors` fixture whose metadata holds a list `cases` as JSON. */
export function referenceCases<Case>(file: string): ReferenceCases<Case> {
  const opened = openSafetensors(fixture(file));
  const text = opened.metadata['cases'];
  opened.file.close();
  if (text === undefined) throw new Error(`${file} has no cases in its metadata`);
  return { cases: JSON.parse(text) as readonly Case[], tensor: goldenTensors(file) };
}
