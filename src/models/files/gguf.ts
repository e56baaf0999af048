/**
 * `.gguf` files: a header of typed fields, a list of tensors with their ggml types, then the tensors' blocks (ggml docs/gguf.md). Nothing
 * in the header is trusted: counts, lengths and places are checked against the file before they are used.
 */
import { elementCount } from '../../compute/tensor.js';
import type { MappedFile } from '../../native/addon.js';
import { bytesOf, dtypes, type StoredDType } from '../../native/dtypes.js';
import { shorten } from '../../safe-text.js';
import { ModelError } from '../model-error.js';
import { keysOfArchitecture } from './gguf-keys.js';
import { GgufReader, type GgufField } from './gguf-reader.js';
import type { SafetensorsEntry, SafetensorsFile, TensorMap } from './safetensors.js';

const MAGIC = 0x46554747;

/** ggml_type by its number, where its values can be read. */
const types: Readonly<Record<number, StoredDType>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  20: 'IQ4_NL',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  30: 'BF16',
};

/** Names of others, for messages. */
const unreadTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

const mostTensors = 1_000_000;
const mostFields = 1_000_000;
const mostDimensions = 8;

export interface GgufHeader {
  readonly fields: ReadonlyMap<string, GgufField>;
  /** By the file's own names, shapes as torch has them. */
  readonly tensors: TensorMap;
}

/** Whether a file begins as GGUF does. */
export function looksLikeGguf(start: Uint8Array): boolean {
  return start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === MAGIC;
}

/**
 * The tensors of a mapped GGUF file, by the keys that the same model has in other files, and its fields that are texts. Throws
 * `ModelError` naming the file and what is wrong with it.
 */
export function readGguf(path: string, file: MappedFile): Pick<SafetensorsFile, 'metadata' | 'tensors'> {
  const { fields, tensors } = readGgufHeader(path, file);
  const metadata: Record<string, string> = {};
  for (const [name, value] of fields) if (typeof value === 'string') metadata[name] = value;
  const keyOf = keysOfArchitecture(metadata['general.architecture']);
  return { metadata, tensors: new Map([...tensors].map(([name, entry]) => [keyOf(name), entry])) };
}

/** Fields and tensors as the file names them. Throws `ModelError` likewise. */
export function readGgufHeader(path: string, file: MappedFile): GgufHeader {
  const reader = new GgufReader(path, file);
  reader.skip(4);
  const version = reader.u32();
  if (version !== 2 && version !== 3) {
    throw new ModelError(`${path}: GGUF of version ${version} can't be read; 2 and 3 can`);
  }
  const tensorCount = reader.count(mostTensors, 'tensors');
  const fieldCount = reader.count(mostFields, 'fields');
  const fields = new Map<string, GgufField>();
  for (let field = 0; field < fieldCount; field++) {
    const name = reader.text();
    fields.set(name, reader.value(reader.u32(), name));
  }
  const listed: { name: string; shape: number[]; type: number; offset: number }[] = [];
  for (let tensor = 0; tensor < tensorCount; tensor++) {
    const name = reader.text();
    const dimensions = reader.u32();
    if (dimensions > mostDimensions) {
      throw new ModelError(`${path}: the tensor ${shorten(name, 100)} would have ${dimensions} dimensions`);
    }
    const shape = Array.from({ length: dimensions }, () => reader.u64()).reverse();
    listed.push({ name, shape, type: reader.u32(), offset: reader.u64() });
  }
  const alignment = alignmentOf(path, fields);
  const start = Math.ceil(reader.at / alignment) * alignment;
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, shape, type, offset } of listed) {
    const shaped = originalShape(path, name, shape, fields);
    tensors.set(name, entryOf({ path, size: file.size }, name, shaped, type, start + offset));
  }
  return { fields, tensors };
}

function alignmentOf(path: string, fields: ReadonlyMap<string, GgufField>): number {
  const alignment = fields.get('general.alignment') ?? 32;
  if (typeof alignment === 'number' && Number.isInteger(alignment) && alignment > 0 && alignment <= 2 ** 20) {
    return alignment;
  }
  throw new ModelError(`${path}: general.alignment must be a number of bytes from 1 to 1048576`);
}

/** ComfyUI-GGUF keeps the shape of tensors that it had to cut up otherwise under a field of their own. */
function originalShape(
  path: string,
  name: string,
  shape: readonly number[],
  fields: ReadonlyMap<string, GgufField>,
): readonly number[] {
  const original = fields.get(`comfy.gguf.orig_shape.${name}`);
  if (original === undefined) return shape;
  const numbers = typeof original === 'object' && original.length <= mostDimensions ? original.numbers() : [];
  if (numbers.every((extent) => extent >= 0) && elementCount(numbers) === elementCount(shape)) return numbers;
  throw new ModelError(
    `${path}: comfy.gguf.orig_shape.${shorten(name, 100)} is no shape of that tensor's values`,
  );
}

function entryOf(
  { path, size }: { readonly path: string; readonly size: number },
  name: string,
  shape: readonly number[],
  type: number,
  offset: number,
): SafetensorsEntry {
  const shown = shorten(name, 100);
  const dtype = types[type];
  if (dtype === undefined) {
    throw new ModelError(
      `${path}: the tensor ${shown} is of the ggml type ${unreadTypes[type] ?? type}, which can't be read; known are ${Object.values(types).join(', ')}`,
    );
  }
  const values = elementCount(shape);
  const { blockValues } = dtypes[dtype];
  const row = shape.at(-1) ?? 1;
  if (!Number.isSafeInteger(values) || (blockValues > 1 && values % blockValues !== 0)) {
    throw new ModelError(
      `${path}: the tensor ${shown} of [${shape.join(', ')}] is no whole number of ${dtype} blocks`,
    );
  }
  const byteLength = bytesOf(dtype, values);
  if (offset + byteLength > size) {
    throw new ModelError(
      `${path} is truncated: the tensor ${shown} ends at byte ${offset + byteLength}, the file has ${size} (rows of ${row})`,
    );
  }
  return { dtype, shape, offset, byteLength, ...(dtype === 'F16' ? { patchedAs: dtype } : {}) };
}
