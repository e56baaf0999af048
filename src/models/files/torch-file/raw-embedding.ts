import type { MappedFile } from '../../../native/addon.js';
import type { TensorMap } from '../safetensors.js';
import { PickleError } from './values.js';
import { readZipDirectory, storedAt } from './zip.js';

/** Values of a vector of SD 1.x, which also count the values that there must be, and of SD 2.x. */
const widths = { sd1: 768, sd2: 1024 } as const;

/**
 * The vectors of a zip file whose pickle is refused, from its bytes alone: the last record that is large enough, as float32 (ComfyUI
 * comfy/sd1_clip.py, safe_load_embed_zip). Undefined where there is none, or the file is no zip.
 */
export function rawEmbedding(file: MappedFile): TensorMap | undefined {
  try {
    const records = [...readZipDirectory(file).values()].filter(({ name }) => name.includes('data/'));
    const record = records.findLast(({ size }) => Math.floor(size / 4) >= widths.sd1);
    if (record === undefined) return undefined;
    const width = Math.floor(record.size / 4) % widths.sd1 === 0 ? widths.sd1 : widths.sd2;
    if (record.size % (4 * width) !== 0) return undefined;
    const shape = [record.size / 4 / width, width];
    const entry = { dtype: 'F32', shape, offset: storedAt(file, record), byteLength: record.size } as const;
    return new Map([['tensor', entry]]);
  } catch (error) {
    if (error instanceof PickleError) return undefined;
    throw error;
  }
}
