/** Files of full-size transformers, with weights that are cheap to make: a run of bounded random numbers, over and over. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { elementCount } from '../../src/compute/tensor.js';
import { bytesOf } from '../../src/native/dtypes.js';

/** Shapes by key, `#` standing for a block's number, and how many blocks there are of each kind. */
const layoutSchema = z.object({
  repeated: z.record(z.string(), z.number()),
  shapes: z.record(z.string(), z.array(z.number())),
});

const layouts = z
  .record(z.string(), layoutSchema)
  .parse(JSON.parse(readFileSync(fileURLToPath(new URL('full-layouts.json', import.meta.url)), 'utf8')));

/** Matrices as they are in published files: fp8 (all else in bfloat16), or all in bfloat16. */
export type FullForm = 'fp8' | 'bf16';

const PATTERN_BYTES = 16 * 2 ** 20;

/**
 * Writes a `.safetensors` file of the model `name` of `full-layouts.json`, with at most `blocks` of each kind; returns its bytes.
 */
export function writeFullTransformer(name: string, form: FullForm, path: string, blocks = Infinity): number {
  const layout = layouts[name];
  if (layout === undefined)
    throw new Error(`no layout of ${name}; known are ${Object.keys(layouts).join(', ')}`);
  let end = 0;
  const entries = [...shapesOf(layout, blocks)].map(([key, shape]) => {
    const dtype = form === 'fp8' && shape.length > 1 ? ('F8_E4M3' as const) : ('BF16' as const);
    const begin = end;
    end += bytesOf(dtype, elementCount(shape));
    return { key, dtype, shape, begin, end };
  });
  const header = Buffer.from(
    JSON.stringify(
      Object.fromEntries(
        entries.map(({ key, dtype, shape, begin, end }) => [
          key,
          { dtype, shape, data_offsets: [begin, end] },
        ]),
      ),
    ),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const patterns = { F8_E4M3: codes(), BF16: halves() };
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([length, header]));
  for (const { dtype, begin, end } of entries) {
    for (let at = begin; at < end; at += PATTERN_BYTES) {
      writeSync(file, patterns[dtype], 0, Math.min(PATTERN_BYTES, end - at));
    }
  }
  closeSync(file);
  return 8 + header.length + end;
}

function* shapesOf(
  { repeated, shapes }: z.infer<typeof layoutSchema>,
  most: number,
): Iterable<[string, readonly number[]]> {
  for (const [key, shape] of Object.entries(shapes)) {
    const blocks = key.includes('#') ? Math.min(most, repeated[key.slice(0, key.indexOf('.'))]!) : 1;
    for (let block = 0; block < blocks; block++) yield [key.replace('#', String(block)), shape];
  }
}

function random(): Uint32Array {
  let state = 1;
  return Uint32Array.from({ length: PATTERN_BYTES / 4 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

/** e4m3 below 2⁻³. */
function codes(): Uint8Array {
  return new Uint8Array(random().map((bits) => bits & 0x9f9f9f9f).buffer);
}

/** bfloat16 from 2⁻⁷ to 2⁻⁵. */
function halves(): Uint8Array {
  return new Uint8Array(random().map((bits) => (bits & 0x80ff80ff) | 0x3c003c00).buffer);
}
