/** Small `.safetensors` files, byte for byte as the reference implementation writes float32 tensors. */
import type { Tensor } from '../../compute/tensor.js';

/** The file's bytes; tensors by name in alphabetical order, texts in the header's metadata where there are any. */
export function safetensorsBytes(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const names = Object.keys(tensors).sort();
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors[name]!;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const values = names.map((name) => {
    const { buffer, byteOffset, byteLength } = tensors[name]!.data;
    return Buffer.from(buffer, byteOffset, byteLength);
  });
  return Buffer.concat([length, padded, ...values]);
}
