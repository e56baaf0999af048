/**
 * `.pth`, `.pt` and `.ckpt`: what torch.save wrote, in either of its layouts, seen as a safetensors file is. Only the pickle is
 * read when a file is opened; tensors stay where they lie.
 */
import { elementCount } from '../../../compute/tensor.js';
import type { MappedFile } from '../../../native/addon.js';
import { ModelError } from '../../model-error.js';
import { bytesOf } from '../../../native/dtypes.js';
import type { SafetensorsEntry, TensorMap } from '../safetensors.js';
import { openLegacy, openZip, type TorchContainer } from './containers.js';
import { torchHost } from './torch-host.js';
import { PickleError, PickleTuple, TorchTensor, type PickleDict, type PickleValue } from './values.js';

/** How many bytes `looksLikeTorch` needs. */
export const torchSignatureBytes = 4;

/** Tied weights lie in a file once; all tensors together are at most so many times as large, files of a few bytes apart. */
const mostShared = 8;
const smallFile = 16 << 20;

/**
 * Whether the first bytes are those of one of torch's layouts: a zip file's, or of a pickle that begins with a long number, of
 * protocol 2 to 5. As the length of a safetensors header the latter would be beyond what is allowed.
 */
export function looksLikeTorch(start: Uint8Array): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = start;
  if (a === 0x50 && b === 0x4b) return c === 0x03 && d === 0x04;
  return a === 0x80 && b >= 2 && b <= 5 && (c === 0x8a || c === 0x95) && d >= 6;
}

/** The tar files that torch wrote before 0.1.10, of which their header's magic tells. */
export function looksLikeOldTorch(file: MappedFile): boolean {
  const [at, magic] = [257, 'ustar'];
  if (file.size < at + magic.length) return false;
  return new TextDecoder('latin1').decode(file.read(at, magic.length)) === magic;
}

/**
 * The tensors of a checkpoint, and texts and switches beside them (of hypernetworks, how they compute). Throws `ModelError` naming
 * the file and what is wrong with it: an opcode or a global that is not needed for tensors, a tensor that leaves its storage, a
 * damaged or truncated file.
 */
export function readTorchTensors(
  path: string,
  file: MappedFile,
): { readonly metadata: Readonly<Record<string, string>>; readonly tensors: TensorMap } {
  return readable(path, () => {
    const container = openContainer(file);
    const tensors = placedTensors(tensorsOf(container.root), container, file.size);
    return { metadata: settingsOf(container.root), tensors };
  });
}

export function openContainer(file: MappedFile, host = torchHost): TorchContainer {
  return file.read(0, 1)[0] === 0x50 ? openZip(file, host) : openLegacy(file, host);
}

/** What `body` reads of a file; a `PickleError` becomes a `ModelError` that names it. */
export function readable<Result>(path: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ModelError(`${path} is no torch checkpoint that can be read: ${error.message}`, {
      cause: error,
    });
  }
}

/** Where tensors lie in their file. Throws `PickleError` for those that leave their storage, or are no size for the file. */
export function placedTensors(
  named: Iterable<readonly [string, TorchTensor]>,
  container: TorchContainer,
  fileSize: number,
): TensorMap {
  const tensors = new Map<string, SafetensorsEntry>();
  let described = 0;
  for (const [key, tensor] of named) {
    const entry = within(key, () => entryOf(tensor, container, fileSize));
    described += entry.byteLength;
    tensors.set(key, entry);
  }
  if (described > mostShared * fileSize + smallFile) {
    throw new PickleError(`its tensors share ${fileSize} bytes so often that they would be ${described}`);
  }
  if (tensors.size === 0) throw new PickleError('it holds no tensors by name');
  return tensors;
}

function settingsOf(root: PickleValue): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [key, value] of root instanceof Map ? root : []) {
    const isSetting = typeof value === 'boolean' || typeof value === 'string';
    if (typeof key === 'string' && isSetting) settings[key] = String(value);
  }
  return settings;
}

function within<Result>(key: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new PickleError(`tensor ${key.slice(0, 200)}: ${error.message}`, { cause: error });
  }
}

/**
 * Where the weights lie in what a training script saved (spandrel __helpers/canonicalize.py, and ComfyUI comfy/utils.py,
 * load_torch_file): in the first of these, or in the only thing that there is.
 */
const wrappers = ['model_state_dict', 'state_dict', 'params_ema', 'params-ema', 'params', 'model', 'net'];

function* tensorsOf(root: PickleValue): Generator<readonly [string, TorchTensor]> {
  if (root instanceof TorchTensor) {
    yield ['tensor', root];
    return;
  }
  if (Array.isArray(root)) {
    // Of dictionaries, as some embeddings are: by their place in it.
    for (const [index, item] of (root as readonly PickleValue[]).entries()) {
      for (const [key, value] of item instanceof Map ? item : []) {
        if (typeof key === 'string' && value instanceof TorchTensor) yield [`${index}.${key}`, value];
      }
    }
    return;
  }
  if (!(root instanceof Map)) throw new PickleError('it holds no dictionary of tensors');
  for (const [key, value] of unwrapped(root)) {
    if (Array.isArray(value) || value instanceof PickleTuple) {
      // Of hypernetworks, by their width: networks of keys, and of values.
      if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint') continue;
      yield* partsOf(String(key), value instanceof PickleTuple ? value.items : value);
      continue;
    }
    if (typeof key !== 'string') continue;
    if (value instanceof TorchTensor) yield [key, value];
    else if (value instanceof Map) {
      // As textual inversion keeps its vectors: string_to_param.*.
      for (const [inner, tensor] of value) {
        if (typeof inner === 'string' && tensor instanceof TorchTensor) yield [`${key}.${inner}`, tensor];
      }
    }
  }
}

function* partsOf(name: string, parts: readonly PickleValue[]): Generator<readonly [string, TorchTensor]> {
  for (const [index, part] of parts.entries()) {
    for (const [key, value] of part instanceof Map ? part : []) {
      if (typeof key === 'string' && value instanceof TorchTensor) yield [`${name}.${index}.${key}`, value];
    }
  }
}

function unwrapped(root: PickleDict): PickleDict {
  const wrapped = wrappers.map((name) => root.get(name)).find((value) => value instanceof Map);
  const inner = wrapped instanceof Map ? wrapped : root;
  const [only] = inner.values();
  return inner.size === 1 && only instanceof Map ? only : inner;
}

function entryOf(tensor: TorchTensor, container: TorchContainer, fileSize: number): SafetensorsEntry {
  const { storage, dtype, shape, strides } = tensor;
  const size = bytesOf(dtype, 1);
  const record = container.record(storage);
  const storageSize = storage.dtype === undefined ? 1 : bytesOf(storage.dtype, 1);
  const end = (storage.start + storage.length) * storageSize;
  if (!Number.isSafeInteger(end) || end > record.byteLength) {
    throw new PickleError(`its storage should have ${end} bytes, has ${record.byteLength}`);
  }
  const count = elementCount(shape);
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, tensor.offset);
  const reach = count === 0 ? 0 : (last + 1) * size;
  if (!Number.isSafeInteger(reach) || reach > storage.length * storageSize) {
    throw new PickleError(
      `[${shape.join(', ')}] from ${tensor.offset} on leaves its storage of ${storage.length} values`,
    );
  }
  // A tensor that repeats its values by strides of 0 could be of any size.
  if (count * size > fileSize) throw new PickleError(`[${shape.join(', ')}] is larger than the file`);
  const offset = record.offset + storage.start * storageSize + (count === 0 ? 0 : tensor.offset * size);
  const entry = { dtype, shape, offset, byteLength: count * size };
  return isDense(shape, strides) ? entry : { ...entry, strides };
}

/** Whether values lie one after the other, row-major; the stride of an axis of one doesn't matter. */
function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return elementCount(shape) === 0;
    expected *= shape[axis]!;
  }
  return true;
}
