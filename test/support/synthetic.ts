/**
 * Synthetic checkpoints: every weight is a pure function of its key and its index, so that a checkpoint of any size is
 * known from the list of its keys. They make noise, not pictures, but each number of it is comparable with ComfyUI's.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { elementCount } from '../../src/compute/tensor.js';
import { narrowToF16 } from '../../src/native/addon.js';
import { ModelError } from '../../src/models/model-error.js';

const dtypeSchema = z.enum(['F16', 'BF16', 'F32', 'I64', 'U8']);
const shapeSchema = z.array(z.int().nonnegative()).readonly();
/** Behind dtype and shape perhaps the name of a file beside the manifest, gzipped, whose bytes they are: a vocabulary. */
const manifestSchema = z.record(z.string(), z.tuple([dtypeSchema, shapeSchema], z.string()).readonly());

/** Every key of a checkpoint, in the file's order, with its dtype and shape. */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
type SyntheticDType = z.infer<typeof dtypeSchema>;

const bytesPerValue: Readonly<Record<SyntheticDType, number>> = { F16: 2, BF16: 2, F32: 4, I64: 8, U8: 1 };
const valuesPerChunk = 1 << 20;

/** Reads a manifest file. Throws `ModelError` when it is something else. */
export function readManifest(path: string): Manifest {
  return parseManifest(readFileSync(path, 'utf8'), path);
}

/** Parses a manifest, `{"KEY": ["F16", [320, 4, 3, 3]], …}`; errors name it as `source`. */
export function parseManifest(json: string, source: string): Manifest {
  const result = manifestSchema.safeParse(JSON.parse(json));
  if (result.success) return result.data;
  throw new ModelError(`${source} is not a checkpoint's manifest: ${z.prettifyError(result.error)}`);
}

/**
 * Writes the checkpoint that `manifest` describes, a few megabytes at a time; files that it names lie in `folder`. It is written beside `path` and renamed, so
 * that no half of it is ever found there.
 */
export function writeSyntheticCheckpoint(manifest: Manifest, path: string, folder = '.'): void {
  const unfinished = `${path}.${process.pid}.part`;
  const file = openSync(unfinished, 'w');
  try {
    try {
      writeAll(file, header(manifest));
      for (const [key, [dtype, shape, part]] of Object.entries(manifest)) {
        if (part !== undefined) {
          writeAll(file, gunzipSync(readFileSync(join(folder, part))));
          continue;
        }
        for (const chunk of chunks(key, dtype, shape)) writeAll(file, chunk);
      }
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** `write` may take less than it is given. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}

function header(manifest: Manifest): Uint8Array {
  let offset = 0;
  const entries = Object.entries(manifest).map(([key, [dtype, shape]]) => {
    const begin = offset;
    offset += elementCount(shape) * bytesPerValue[dtype];
    return [key, { dtype, shape, data_offsets: [begin, offset] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded));
  bytes.set(json, 8);
  return bytes;
}

function* chunks(key: string, dtype: SyntheticDType, shape: readonly number[]): Generator<Uint8Array> {
  const count = elementCount(shape);
  const recipe = recipeFor(key, shape);
  for (let start = 0; start < count; start += valuesPerChunk) {
    const length = Math.min(valuesPerChunk, count - start);
    if (dtype === 'U8') throw new ModelError(`${key}: bytes are a file's`);
    yield dtype === 'I64' ? indices(start, length) : values(key, start, length, recipe, dtype);
  }
}

/** value = offset + factor·s, s uniform in [−1, 1); or |factor·s| instead. */
interface Recipe {
  readonly offset: number;
  readonly factor: number;
  readonly positive?: boolean;
}

/** Writes the float32 values of the synthetic tensor `key`, row-major. */
export function fillSynthetic(key: string, shape: readonly number[], into: Float32Array): void {
  const bytes = values(key, 0, into.length, recipeFor(key, shape), 'F32');
  into.set(new Float32Array(bytes.buffer, bytes.byteOffset, into.length));
}

function recipeFor(key: string, shape: readonly number[]): Recipe {
  if (key.endsWith('running_var')) return { offset: 1, factor: 0.05, positive: true };
  if (key.endsWith('logit_scale')) return { offset: 4.6055, factor: 0 };
  if (key.endsWith('.scale') || key.endsWith('.gamma')) return { offset: 1, factor: 0.1 };
  // Not `absolute_pos_embed`, of upscalers whose goldens came before this rule.
  if (/(^|\.)pos_embed$/.test(key)) return { offset: 0, factor: 1 };
  if (key.includes('embedding')) return { offset: 0, factor: 0.05 };
  if (shape.length >= 2) return { offset: 0, factor: Math.sqrt(3 / elementCount(shape.slice(1))) };
  if (key.endsWith('weight')) return { offset: 1, factor: 0.1 };
  return { offset: 0, factor: 0.05 };
}

function values(
  key: string,
  start: number,
  length: number,
  { offset, factor, positive = false }: Recipe,
  dtype: Exclude<SyntheticDType, 'I64' | 'U8'>,
): Uint8Array {
  const out = new Float32Array(length);
  const bits = new Uint32Array(out.buffer);
  const oddly = dtype === 'F16';
  let state = fnv1a(key) + Math.imul(start, 0x9e3779b9);
  for (let index = 0; index < length; index++) {
    const change = factor * (2 * (murmurFinaliser(state) >>> 8) * 2 ** -24 - 1);
    const value = offset + (positive ? Math.abs(change) : change);
    out[index] = value;
    if (oddly) roundToOdd(value, index, out, bits);
    state = (state + 0x9e3779b9) | 0;
  }
  if (dtype === 'F32') return new Uint8Array(out.buffer);
  const narrow = dtype === 'F16' ? narrowToF16(out) : narrowToBF16(bits);
  return new Uint8Array(narrow.buffer, narrow.byteOffset, narrow.byteLength);
}

/**
 * Rounds float64 to float32 with an odd last bit where that is inexact: rounding the result once more, to 11 bits or 8,
 * then gives what rounding the float64 itself would (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums").
 */
function roundToOdd(value: number, index: number, out: Float32Array, bits: Uint32Array): void {
  const nearest = out[index]!;
  if (nearest === value || (bits[index]! & 1) === 1) return;
  bits[index]! += Math.abs(nearest) > Math.abs(value) ? -1 : 1;
}

function narrowToBF16(bits: Uint32Array): Uint16Array {
  return Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
}

function indices(start: number, length: number): Uint8Array {
  const out = BigInt64Array.from({ length }, (_, index) => BigInt(start + index));
  return new Uint8Array(out.buffer);
}

function fnv1a(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash | 0;
}

/** MurmurHash3's 32-bit finaliser. */
function murmurFinaliser(state: number): number {
  let hash = state ^ (state >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
