/**
 * `.safetensors` files: eight bytes of header length, a JSON header, then the tensors' bytes. The header is checked as the
 * reference implementation does (huggingface/safetensors, `Metadata::validate`), so what passes can be read without fear.
 */
import { statSync } from 'node:fs';
import { elementCount } from '../../compute/tensor.js';
import { MappedFile } from '../../native/addon.js';
import { bytesOf, dtypeNames, isDType, type StoredDType } from '../../native/dtypes.js';
import { shorten } from '../../safe-text.js';
import { ModelError } from '../model-error.js';

/** The reference implementation's bound on the header. */
const maxHeaderBytes = 100_000_000;

/** The header, a tensor in it, that tensor's shape; with room for what others may add. */
const maxDepth = 8;

export interface SafetensorsEntry {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Of the values, all of them. */
  readonly byteLength: number;
  /** Steps from a value to its neighbour along each axis, in values, where they don't lie one after the other (torch's files). */
  readonly strides?: readonly number[];
  /** What its sums with patches are rounded to. */
  readonly patchedAs?: 'F16';
}

/** Tensors by key, in the file's order. */
export type TensorMap = ReadonlyMap<string, SafetensorsEntry>;

/** An open file: its header is in memory, its tensors are where they lie. */
export interface SafetensorsFile {
  readonly path: string;
  /** Bytes, and the time of the last change in milliseconds, when the file was opened. */
  readonly size: number;
  readonly modified: number;
  readonly file: MappedFile;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the header's order. */
  readonly tensors: TensorMap;
}

/** Opens and checks a file. Throws `ModelError` naming the file, the key at fault, and what is wrong with it. */
export function openSafetensors(path: string): SafetensorsFile {
  return openMapped(path, (file) => readSafetensors(path, file));
}

/** Maps a file and reads its directory of tensors; the file is closed again when that fails. */
export function openMapped(
  path: string,
  read: (file: MappedFile) => Pick<SafetensorsFile, 'metadata' | 'tensors'>,
): SafetensorsFile {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new ModelError(`${path}: no such file`);
  if (!status.isFile()) throw new ModelError(`${path} is not a file`);
  const file = map(path);
  try {
    return { path, size: file.size, modified: status.mtimeMs, file, ...read(file) };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The tensors that a mapped safetensors file describes. Throws `ModelError`. */
export function readSafetensors(
  path: string,
  file: MappedFile,
): Pick<SafetensorsFile, 'metadata' | 'tensors'> {
  const { dataStart, json } = readHeader(path, file);
  const { metadata, tensors } = parseHeader(path, json, dataStart);
  checkLayout(path, tensors, dataStart, file.size);
  return { metadata, tensors };
}

function map(path: string): MappedFile {
  try {
    return new MappedFile(path);
  } catch (cause) {
    throw new ModelError(cause instanceof Error ? cause.message : `can't map ${path}`, { cause });
  }
}

function readHeader(path: string, file: MappedFile): { readonly json: string; readonly dataStart: number } {
  if (file.size < 8) {
    throw new ModelError(
      `${path} is not a safetensors file: it has ${file.size} bytes, its header length alone needs 8`,
    );
  }
  const start = file.read(0, 8);
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (length > maxHeaderBytes) {
    throw new ModelError(
      `${path} is not a safetensors file: its header would have ${length} bytes, at most ${maxHeaderBytes} are allowed${guessFormat(start)}`,
    );
  }
  if (length > file.size - 8) {
    throw new ModelError(
      `${path} is truncated in its header: ${length + 8 - file.size} bytes of it are missing (the file has ${file.size} bytes)`,
    );
  }
  const bytes = file.read(8, length);
  if (isNestedBeyond(maxDepth, bytes)) {
    throw new ModelError(
      `${path}: the header nests lists and objects more than ${maxDepth} deep, as no safetensors header does`,
    );
  }
  try {
    return { json: new TextDecoder('utf-8', { fatal: true }).decode(bytes), dataStart: 8 + length };
  } catch (cause) {
    throw new ModelError(`${path}: the header is not UTF-8 text`, { cause });
  }
}

/**
 * Whether JSON text goes deeper than `depth`. Looked at before it is parsed, for the parser takes half a minute and all of the stack
 * over a header of nothing but brackets.
 */
function isNestedBeyond(depth: number, json: Uint8Array): boolean {
  let level = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (inString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++level > depth) return true;
    } else if (byte === 0x7d || byte === 0x5d) level--;
  }
  return false;
}

function guessFormat(start: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(start);
  if (text.startsWith('version '))
    return '; it looks like a Git LFS pointer: fetch the file itself (git lfs pull)';
  if (text.startsWith('PK') || text.startsWith('\x80')) return "; it looks like one of PyTorch's";
  if (text.startsWith('GGUF')) return '; it looks like a GGUF file, which is not supported';
  if (text.startsWith('<')) return '; it looks like a web page, perhaps saved instead of the download';
  return '';
}

function parseHeader(
  path: string,
  json: string,
  dataStart: number,
): Pick<SafetensorsFile, 'metadata' | 'tensors'> {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw new ModelError(
      `${path}: the header is not valid JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  }
  if (!json.startsWith('{') || typeof header !== 'object' || header === null) {
    throw new ModelError(`${path}: the header must be a JSON object that begins with {`);
  }
  let metadata: Readonly<Record<string, string>> = {};
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [key, value] of Object.entries(header)) {
    if (key === '__metadata__') {
      // A null is no metadata to the reference implementation, too.
      if (value !== null) metadata = readMetadata(value, `${path}: __metadata__`);
    } else {
      tensors.set(key, readEntry(value, dataStart, `${path}: tensor ${shorten(key)}`));
    }
  }
  return { metadata, tensors };
}

// By hand and not by schema: a header has thousands of entries, and nothing else here needs the schema library loaded.

function readMetadata(value: unknown, where: string): Readonly<Record<string, string>> {
  const texts = Object.entries(fields(value, where));
  for (const [key, text] of texts) {
    if (typeof text !== 'string') throw malformed(where, shorten(key), 'a string', text);
  }
  return Object.fromEntries(texts) as Readonly<Record<string, string>>;
}

function readEntry(value: unknown, dataStart: number, where: string): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = fields(value, where);
  if (!isDType(dtype)) throw malformed(where, 'dtype', `one of ${dtypeNames.join(', ')}`, dtype);
  const extents = counts(shape, where, 'shape');
  const span = counts(offsets, where, 'data_offsets');
  if (span.length !== 2) throw malformed(where, 'data_offsets', 'two offsets', offsets);
  const [begin = 0, end = 0] = span;
  return { dtype, shape: extents, offset: dataStart + begin, byteLength: end - begin };
}

function fields(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw malformed(where, '', 'an object', value);
}

function counts(value: unknown, where: string, at: string): readonly number[] {
  if (!Array.isArray(value)) throw malformed(where, at, 'a list', value);
  (value as readonly unknown[]).forEach((count, index) => {
    if (!Number.isSafeInteger(count) || (count as number) < 0) {
      throw malformed(where, `${at}.${index}`, 'a whole number from 0 to 2⁵³ − 1', count);
    }
  });
  return value as readonly number[];
}

function malformed(where: string, at: string, expected: string, got: unknown): ModelError {
  const field = at === '' ? '' : ` ${at}:`;
  const found = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 40);
  return new ModelError(`${where}:${field} expected ${expected}, got ${found}`);
}

/** Tensors fill the data section without gap or overlap, each has the bytes that its shape needs, and all are in the file. */
function checkLayout(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  dataStart: number,
  fileSize: number,
): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  let before = 'the header';
  for (const [key, { dtype, shape, offset, byteLength }] of inOrder) {
    const where = `${path}: tensor ${shorten(key)}`;
    if (byteLength < 0) throw new ModelError(`${where} ends ${-byteLength} bytes before it begins`);
    if (offset < end) throw new ModelError(`${where} overlaps ${before} by ${end - offset} bytes`);
    if (offset > end) {
      throw new ModelError(`${where} leaves a gap of ${offset - end} bytes after ${before}`);
    }
    const needed = bytesOf(dtype, elementCount(shape));
    if (!Number.isSafeInteger(needed * 8)) {
      throw new ModelError(`${where} has the impossible shape [${shorten(shape.join(', '))}]`);
    }
    if (needed !== byteLength) {
      throw new ModelError(
        `${where} is ${dtype} [${shorten(shape.join(', '))}], which needs ${needed} bytes, but its offsets span ${byteLength}`,
      );
    }
    end = offset + byteLength;
    before = `tensor ${shorten(key)}`;
  }
  if (end > fileSize) {
    throw new ModelError(
      `${path} is truncated: ${end - fileSize} bytes are missing (it has ${fileSize}, its header describes ${end})`,
    );
  }
  if (end < fileSize) {
    throw new ModelError(
      `${path} has ${fileSize - end} bytes that its header doesn't describe (it has ${fileSize}, ${end} are described)`,
    );
  }
}
