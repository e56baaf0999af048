/** The reference's tensors and the tiny checkpoints that they were made with. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { parseManifest, writeSyntheticCheckpoint, type Manifest } from './synthetic.js';

/** Absolute path of a file under `test/fixtures`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** The float tensors of a fixture, by name. */
export type GoldenTensors = (name: string) => Tensor;

/** Opens a `.safetensors` fixture, `golden/sd15-tiny.golden.safetensors` for one; unknown names throw. */
export function goldenTensors(file: string): GoldenTensors {
  const { file: mapped, tensors } = openSafetensors(fixture(file));
  return (name) => {
    const entry = tensors.get(name);
    if (entry === undefined || !['F32', 'F16', 'U8'].includes(entry.dtype)) {
      throw new Error(`${file} has no tensor ${name}`);
    }
    const values = tensor(entry.shape);
    mapped.widen(entry.offset, entry.dtype, values.data);
    return values;
  };
}

/** A manifest under `test/fixtures`, `golden/manifests/sd15-tiny` for one, stored as `.json` or `.json.gz`. */
export function fixtureManifest(name: string): Manifest {
  return parseManifest(manifestText(name), name);
}

function manifestText(name: string): string {
  const plain = fixture(`${name}.json`);
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  return gunzipSync(readFileSync(`${plain}.gz`)).toString();
}

/** Path of the synthetic checkpoint of a manifest under `test/fixtures`, written once and kept in `node_modules/.cache`. */
export function syntheticCheckpoint(manifest: string): string {
  const digest = createHash('sha256').update(manifestText(manifest)).digest('hex').slice(0, 12);
  const folder = fileURLToPath(new URL('../../node_modules/.cache/latentd/', import.meta.url));
  const path = join(folder, `${manifest.replaceAll('/', '-')}-${digest}.safetensors`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeSyntheticCheckpoint(fixtureManifest(manifest), path, dirname(fixture(manifest)));
  }
  return path;
}

/** The tiny checkpoints of `golden/README.md`: real topologies, narrow layers, synthetic weights. */
export function tinyCheckpoint(family: 'sd15' | 'sdxl'): string {
  return syntheticCheckpoint(`golden/manifests/${family}-tiny`);
}

/** ‖actual − expected‖ / ‖expected‖, the project's measure of parity. Throws when the shapes differ. */
export function relativeRms(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`shape [${actual.shape.join(', ')}] is not [${expected.shape.join(', ')}]`);
  }
  let difference = 0;
  let norm = 0;
  expected.data.forEach((value, index) => {
    difference += (actual.data[index]! - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** The largest difference of any two values. */
export function maxDifference(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join()) {
    throw new Error(`shape [${actual.shape.join(', ')}] is not [${expected.shape.join(', ')}]`);
  }
  return expected.data.reduce(
    (largest, value, index) => Math.max(largest, Math.abs(actual.data[index]! - value)),
    0,
  );
}
