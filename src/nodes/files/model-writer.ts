/** Models to `.safetensors` files, a tensor at a time: they need not fit into memory. */
import { open } from 'node:fs/promises';
import { elementCount } from '../../compute/tensor.js';
import type { Weight } from '../../compute/weight.js';

/** A tensor of no values, by which loaders know something of a model. */
export type Mark = string;

export interface ModelWriting {
  /** Of weights, the name in the file. */
  readonly weights: ReadonlyMap<string, Weight>;
  readonly marks?: readonly Mark[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onTensor?: (done: number, of: number) => void;
}

/** Writes float32 values to a new file at `path`. Rejects with the signal's reason. */
export async function writeModel(path: string, writing: ModelWriting): Promise<void> {
  const { weights, marks = [], metadata, signal, onTensor } = writing;
  const file = await open(path, 'wx');
  try {
    await file.writeFile(headerOf(weights, marks, metadata));
    let done = 0;
    for (const weight of weights.values()) {
      signal.throwIfAborted();
      const values = new Float32Array(elementCount(weight.shape));
      weight.read(values);
      await file.writeFile(new Uint8Array(values.buffer));
      onTensor?.(++done, weights.size);
    }
  } finally {
    await file.close();
  }
}

/** The length and the JSON before the values, which lie in the order of `weights`. */
function headerOf(
  weights: ReadonlyMap<string, Weight>,
  marks: readonly Mark[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape }] of weights) {
    const end = offset + elementCount(shape) * Float32Array.BYTES_PER_ELEMENT;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  for (const name of marks) header[name] = { dtype: 'F32', shape: [0], data_offsets: [offset, offset] };
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}
