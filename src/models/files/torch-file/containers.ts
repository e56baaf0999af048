/** The two ways in which torch.save lays out a file: a zip of records, and one pickle after the other. */
import type { MappedFile } from '../../../native/addon.js';
import { bytesOf, type StoredDType } from '../../../native/dtypes.js';
import { unpickle, type PickleHost } from './pickle.js';
import { torchHost } from './torch-host.js';
import { PickleError, type PickleValue, type TorchStorage } from './values.js';
import { readZipDirectory, storedAt } from './zip.js';

export interface TorchContainer {
  readonly root: PickleValue;
  /** Where a storage's record begins, and its bytes. Throws `PickleError` when the file has none. */
  record(storage: TorchStorage): { readonly offset: number; readonly byteLength: number };
}

/** A checkpoint of 10 000 tensors has about 3 MB of pickle. */
const mostPickleBytes = 16 << 20;

/** torch/serialization.py: _legacy_save's magic number, as the pickle of a whole number writes it. */
const magicNumber = 0x1950a86a20f9469cfc6cn;

/** torch.save since 1.6: `NAME/data.pkl` beside `NAME/data/KEY`. */
export function openZip(file: MappedFile, host = torchHost): TorchContainer {
  const entries = readZipDirectory(file);
  const pickles = [...entries.keys()].filter((name) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  const [name] = pickles;
  if (name === undefined || pickles.length > 1) {
    throw new PickleError(`it is a zip file with ${pickles.length} data.pkl: torch's has one`);
  }
  const folder = name.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined && order.size <= 16) {
    const text = new TextDecoder('latin1').decode(file.read(storedAt(file, order), order.size));
    if (text !== 'little') throw new PickleError(`its byte order is ${text}; little is read`);
  }
  const pickle = entries.get(name)!;
  if (pickle.size > mostPickleBytes) throw new PickleError(`its pickle of ${pickle.size} bytes is too large`);
  const { value } = unpickle(file.read(storedAt(file, pickle), pickle.size), 0, host);
  return {
    root: value,
    record({ key }) {
      const entry = entries.get(`${folder}data/${key}`);
      if (entry === undefined) throw new PickleError(`it has no record ${folder}data/${key}`);
      return { offset: storedAt(file, entry), byteLength: entry.size };
    },
  };
}

/** torch.save before 1.6: magic number, version, machine, objects, storage keys, then each storage after its length. */
export function openLegacy(file: MappedFile, names = torchHost): TorchContainer {
  const bytes = file.read(0, Math.min(file.size, mostPickleBytes));
  let end = 0;
  const storages = new Map<string, TorchStorage>();
  const host: PickleHost = {
    ...names,
    persistent(id) {
      const storage = names.persistent(id) as TorchStorage;
      const known = storages.get(storage.key);
      if (known !== undefined && known.dtype !== storage.dtype) {
        throw new PickleError(`the storage ${storage.key} is of two types`);
      }
      storages.set(storage.key, storage);
      return storage;
    },
  };
  const next = (): PickleValue => {
    const result = unpickle(bytes, end, host);
    end = result.end;
    return result.value;
  };
  if (next() !== magicNumber) throw new PickleError('it is a pickle, but not one that torch.save wrote');
  const version = next();
  if (version !== 1001) throw new PickleError('it is of a version of torch that is not known');
  const machine = next();
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw new PickleError('its byte order is big; little is read');
  }
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new PickleError('it has no list of storages');
  const records = locate(file, end, keys as readonly PickleValue[], storages);
  return {
    root,
    record({ key }) {
      const record = records.get(key);
      if (record === undefined) throw new PickleError(`it has no storage ${key}`);
      return record;
    },
  };
}

interface StorageRecord {
  readonly offset: number;
  readonly byteLength: number;
}

/** Goes over the storages, each eight bytes of its length in values, then these. */
function locate(
  file: MappedFile,
  start: number,
  keys: readonly PickleValue[],
  storages: ReadonlyMap<string, TorchStorage>,
): ReadonlyMap<string, StorageRecord> {
  const records = new Map<string, StorageRecord>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (typeof key !== 'string' || storage === undefined) {
      throw new PickleError('it lists a storage that no tensor uses');
    }
    if (at + 8 > file.size) throw new PickleError(`it is truncated before the storage ${key}`);
    const head = file.read(at, 8);
    const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
    const byteLength = length * valueBytes(storage.dtype);
    at += 8;
    if (!Number.isSafeInteger(byteLength) || byteLength > file.size - at) {
      throw new PickleError(`it is truncated in the storage ${key} of ${length} values`);
    }
    records.set(key, { offset: at, byteLength });
    at += byteLength;
  }
  return records;
}

function valueBytes(dtype: StoredDType | undefined): number {
  return dtype === undefined ? 1 : bytesOf(dtype, 1);
}
