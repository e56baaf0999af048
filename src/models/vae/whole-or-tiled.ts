import type { Tensor } from '../../compute/tensor.js';
import { isOutOfMemory, type ProgramCache } from '../programs/program-cache.js';

export interface AutoencoderOptions {
  /** Bytes that one image may take while it is coded; left out, what the system has free at that time. */
  readonly memoryLimit?: number;
  /** Told when an image is coded in tiles though nobody asked, and why. */
  readonly notify?: (message: string) => void;
}

export interface Coding {
  /** As a notice names it. */
  readonly what: 'encoding' | 'decoding';
  readonly whole: 'the whole image' | 'whole frames';
  /** Bytes that it takes as a whole, about. */
  readonly needed: number;
}

/** As a whole where there is memory for it, else in tiles, which is told. */
export async function wholeOrTiled(
  programs: ProgramCache,
  { memoryLimit, notify }: AutoencoderOptions,
  { what, whole, needed }: Coding,
  codeWhole: () => Promise<Tensor>,
  codeTiles: () => Promise<Tensor>,
): Promise<Tensor> {
  const free = memoryLimit ?? programs.runBytes();
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  if (needed > free) {
    notify?.(
      `VAE ${what} in tiles: ${whole} would take about ${gigabytes(needed)}, ${gigabytes(free)} are free`,
    );
    return codeTiles();
  }
  try {
    return await codeWhole();
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    const was = whole === 'the whole image' ? 'was' : 'were';
    notify?.(`VAE ${what} in tiles: ${whole} ${was} too much for memory`);
    return codeTiles();
  }
}
