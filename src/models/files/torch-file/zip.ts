/** The directory of a zip file whose entries are stored as they are, as torch writes them; zip64 included. */
import type { MappedFile } from '../../../native/addon.js';
import { PickleError } from './values.js';

export interface ZipEntry {
  readonly name: string;
  /** Bytes in the file. */
  readonly size: number;
  /** Of the entry's own header. */
  readonly headerOffset: number;
  /** 0 for stored, 8 for deflated. */
  readonly method: number;
  readonly encrypted: boolean;
}

const endRecordBytes = 22;
const longestComment = 0xffff;
const mostDirectoryBytes = 16 << 20;
/** Each becomes an object of its own. */
const mostEntries = 100_000;
const all32Bits = 0xffffffff;

/** Every entry by name. Throws `PickleError` when the directory is damaged. */
export function readZipDirectory(file: MappedFile): ReadonlyMap<string, ZipEntry> {
  const { count, size, offset } = findDirectory(file);
  if (size > mostDirectoryBytes || offset + size > file.size) {
    throw new PickleError(`the zip directory of ${size} bytes at ${offset} is not in the file`);
  }
  if (count > mostEntries) throw new PickleError(`a zip file of ${count} entries is refused`);
  const view = viewOf(file, offset, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50) {
      throw new PickleError(`the zip directory is damaged at its entry ${index}`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > size) throw new PickleError(`the zip directory is damaged at its entry ${index}`);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
    if (entries.has(name)) throw new PickleError(`the zip file has two entries named ${name}`);
    entries.set(name, {
      name,
      ...sizesOf(view, at, at + 46 + nameLength, extraLength),
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    });
    at = end;
  }
  return entries;
}

/** Where an entry's bytes begin. Throws `PickleError` when they aren't stored as they are, or not in the file. */
export function storedAt(file: MappedFile, entry: ZipEntry): number {
  if (entry.encrypted) throw new PickleError(`${entry.name} is encrypted`);
  if (entry.method !== 0) {
    throw new PickleError(
      `${entry.name} is compressed, which torch never does: unpack the file and zip it again with store only`,
    );
  }
  const header = viewOf(file, entry.headerOffset, 30);
  if (header.getUint32(0, true) !== 0x04034b50)
    throw new PickleError(`${entry.name} has no header in the zip file`);
  const start = entry.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.size > file.size) {
    throw new PickleError(`${entry.name} ends ${start + entry.size - file.size} bytes beyond the file`);
  }
  return start;
}

function findDirectory(file: MappedFile): {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
} {
  const tail = Math.min(file.size, endRecordBytes + longestComment);
  const base = file.size - tail;
  const view = viewOf(file, base, tail);
  let at = tail - endRecordBytes;
  while (at >= 0 && view.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw new PickleError('the zip file has no directory: it is truncated');
  const found = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  const locator = at - 20;
  if (locator < 0 || view.getUint32(locator, true) !== 0x07064b50) return found;
  const record = viewOf(file, Number(view.getBigUint64(locator + 8, true)), 56);
  if (record.getUint32(0, true) !== 0x06064b50) throw new PickleError('the zip64 directory is damaged');
  return {
    count: Number(record.getBigUint64(32, true)),
    size: Number(record.getBigUint64(40, true)),
    offset: Number(record.getBigUint64(48, true)),
  };
}

/** Sizes and places that take more than 32 bits are kept in an extra field, in this order, where the plain ones are full. */
function sizesOf(
  view: DataView,
  at: number,
  extra: number,
  extraLength: number,
): Pick<ZipEntry, 'size' | 'headerOffset'> {
  let stored = view.getUint32(at + 20, true);
  const unpacked = view.getUint32(at + 24, true);
  let headerOffset = view.getUint32(at + 42, true);
  for (let field = extra; field + 4 <= extra + extraLength;) {
    const length = view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 0x0001 && field + 4 + length <= extra + extraLength) {
      let next = field + 4;
      const take = (): number => {
        next += 8;
        if (next > field + 4 + length) throw new PickleError('a zip64 field of the directory is too short');
        return Number(view.getBigUint64(next - 8, true));
      };
      if (unpacked === all32Bits) take();
      if (stored === all32Bits) stored = take();
      if (headerOffset === all32Bits) headerOffset = take();
    }
    field += 4 + length;
  }
  return { size: stored, headerOffset };
}

function viewOf(file: MappedFile, offset: number, length: number): DataView {
  if (!Number.isSafeInteger(offset) || offset + length > file.size) {
    throw new PickleError(`${length} bytes at ${offset} are beyond the end of the file`);
  }
  const bytes = file.read(offset, length);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
