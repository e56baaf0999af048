import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';
import { bytesOf, dtypeNames, dtypes } from '../../native/dtypes.js';
import { nearestHint } from '../../nearest-names.js';
import { ModelError } from '../model-error.js';
import type { SafetensorsEntry, SafetensorsFile } from './safetensors.js';
import type { WeightSource } from '../weights/weight-source.js';

/** How the identity of all weights of a file begins. */
export function fileIdentity(path: string): string {
  return `${path}#`;
}

/** All tensors of an open file, `.safetensors` or torch's, by the file's own keys. */
export function safetensorsWeights(opened: SafetensorsFile): WeightSource {
  const entryOf = (key: string): SafetensorsEntry => {
    const entry = opened.tensors.get(key);
    if (entry !== undefined) return entry;
    throw new ModelError(`${opened.path} has no tensor ${key}${nearestHint(key, opened.tensors.keys())}`);
  };
  return {
    path: opened.path,
    identity: `${fileIdentity(opened.path)}${opened.size}#${opened.modified}`,
    keys: () => opened.tensors.keys(),
    has: (key) => opened.tensors.has(key),
    weight: (key) => weight(opened, key, entryOf(key)),
    rows(key, start, count) {
      const entry = entryOf(key);
      const rows = entry.shape[0];
      if (rows === undefined || start < 0 || count < 0 || start + count > rows) {
        throw new RangeError(
          `${key} has the shape [${entry.shape.join(', ')}], rows ${start} to ${start + count} are not in it`,
        );
      }
      const rowLength = elementCount(entry.shape.slice(1));
      if (entry.strides !== undefined) {
        return gathered(opened, key, entry).slice(start * rowLength, (start + count) * rowLength);
      }
      const into = new Float32Array(count * rowLength);
      readValues(opened, key, entry, start * rowLength, into);
      return into;
    },
  };
}

function weight(opened: SafetensorsFile, key: string, entry: SafetensorsEntry): Weight {
  const { dtype, shape, offset } = entry;
  const count = elementCount(shape);
  const read = (into: Float32Array): void => {
    if (into.length !== count) {
      throw new RangeError(`${key} has ${count} values, the array to read them into has ${into.length}`);
    }
    if (entry.strides === undefined) readValues(opened, key, entry, 0, into);
    else into.set(gathered(opened, key, entry));
  };
  if (!dtypes[dtype].widens || entry.strides !== undefined) return { name: key, shape, read };
  const { patchedAs } = entry;
  return {
    ...{ name: key, shape, read, stored: { file: opened.file, offset, dtype } },
    ...(patchedAs === undefined ? {} : { patchedAs }),
  };
}

/** Values of the file to each of a tensor's, up to which they are read together. */
const mostGap = 64;

/** The values of a tensor whose strides are its own, row-major. */
function gathered(opened: SafetensorsFile, key: string, entry: SafetensorsEntry): Float32Array {
  const { shape, strides = [] } = entry;
  const values = new Float32Array(elementCount(shape));
  const span = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, 1);
  // What a few values far from each other lie between isn't read with them.
  const whole = span <= mostGap * values.length;
  const window = new Float32Array(whole ? span : 1);
  if (whole) readValues(opened, key, entry, 0, window);
  const at = shape.map(() => 0);
  let from = 0;
  for (let into = 0; into < values.length; into++) {
    if (!whole) readValues(opened, key, entry, from, window);
    values[into] = window[whole ? from : 0]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
  return values;
}

/** Reads `into.length` values from the `first` on. */
function readValues(
  opened: SafetensorsFile,
  key: string,
  { dtype, offset }: SafetensorsEntry,
  first: number,
  into: Float32Array,
): void {
  if (!dtypes[dtype].widens) {
    const known = dtypeNames.filter((name) => dtypes[name].widens).join(', ');
    throw new ModelError(
      `${opened.path}: tensor ${key} is ${dtype}, which can't be read; known are ${known}`,
    );
  }
  opened.file.widen(offset + bytesOf(dtype, first), dtype, into);
}
