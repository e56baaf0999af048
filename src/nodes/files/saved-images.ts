/** Batches of images as numbered PNG files with the workflow inside (ComfyUI nodes.py, SaveImage). */
import type { Tensor } from '../../compute/tensor.js';
import { toPicture } from '../../imaging/bytes.js';
import { encodePng } from '../../imaging/png.js';
import type { RunContext } from '../context.js';
import type { SavedFile } from '../definition.js';
import { openSeries, saveNumbered } from './output-files.js';

interface Saving {
  readonly type: 'output' | 'temp';
  readonly prefix: string;
  /** zlib's. */
  readonly compressionLevel: number;
}

/** Saves each image of a batch, numbered on from what is there. */
export async function saveImages(
  images: Tensor,
  saving: Saving,
  context: Pick<RunContext, 'folders' | 'metadata' | 'signal'>,
): Promise<SavedFile[]> {
  const { type, prefix, compressionLevel } = saving;
  const [batch, height, width] = images.shape as readonly [number, number, number, number];
  const series = await openSeries(type, context.folders[type], prefix, { width, height });
  const files: SavedFile[] = [];
  let next = series.counter;
  for (let index = 0; index < batch; index++) {
    context.signal.throwIfAborted();
    const options = { compressionLevel, texts: context.metadata };
    const png = await encodePng(toPicture(images, index), options);
    const saved = await saveNumbered(series, { counter: next, batch: index, extension: '.png' }, png);
    files.push(saved.file);
    next = saved.counter + 1;
  }
  return files;
}

/** A name of its own for a run's previews. */
export function previewPrefix(): string {
  const letters = Array.from({ length: 5 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26)));
  return `ComfyUI_temp_${letters.join('')}`;
}
