/** Batches of images as animated pictures (ComfyUI comfy_extras/nodes_images.py). */
import type { Tensor } from '../../compute/tensor.js';
import { encodeAnimatedPng, encodeAnimatedWebp } from '../../imaging/animated.js';
import { toPicture, type BytePicture } from '../../imaging/bytes.js';
import { batchOf } from '../../imaging/tensor-ops.js';
import type { RunContext } from '../context.js';
import { boolean, combo, defineNode, float, int, link, string } from '../definition.js';
import { openSeries, saveNumbered } from '../files/output-files.js';

const images = link('IMAGE', { tooltip: 'The frames.' });
const filename_prefix = string({
  default: 'ComfyUI',
  tooltip: 'What file names begin with; may hold subfolders.',
});
const fps = float({ default: 6, min: 0.01, max: 1000, step: 0.01, tooltip: 'Frames a second.' });

async function saved(
  batch: Tensor,
  prefix: string,
  extension: '.png' | '.webp',
  context: RunContext,
  encode: (frames: readonly BytePicture[]) => Promise<Buffer>,
) {
  const [count, height, width] = batch.shape as readonly [number, number, number, number];
  if (count === 0) throw new RangeError('there is no image in the batch');
  const series = await openSeries('output', context.folders.output, prefix, { width, height });
  const frames = Array.from({ length: count }, (_, index) => toPicture(batch, index));
  const bytes = await encode(frames);
  context.signal.throwIfAborted();
  const { file } = await saveNumbered(series, { counter: series.counter, batch: 0, extension }, bytes);
  return { images: [file], animated: [batchOf(batch) > 1] };
}

const EFFORTS = { default: 4, fastest: 0, slowest: 6 } as const;

export const saveAnimatedWebp = defineNode({
  name: 'SaveAnimatedWEBP',
  displayName: 'Save Animated WEBP',
  category: 'image',
  description: 'Saves images as one animated WebP file, with the workflow inside.',
  required: {
    images,
    filename_prefix,
    fps,
    lossless: boolean({ default: true, tooltip: 'Keeps every pixel.' }),
    quality: int({
      default: 80,
      min: 0,
      max: 100,
      tooltip: 'How close to the images where it is not lossless.',
    }),
    method: combo(['default', 'fastest', 'slowest'], { tooltip: 'Slower ones make smaller files.' }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images', tooltip: 'The images, as they came.' }],
  outputNode: true,
  async run({ images: batch, filename_prefix: prefix, fps: rate, lossless, quality, method }, context) {
    const options = {
      delay: Math.trunc(1000 / rate),
      lossless,
      quality,
      effort: EFFORTS[method],
      texts: context.metadata,
    };
    const ui = await saved(batch, prefix, '.webp', context, (frames) => encodeAnimatedWebp(frames, options));
    return { outputs: [batch], ui };
  },
});

export const saveAnimatedPng = defineNode({
  name: 'SaveAnimatedPNG',
  displayName: 'Save Animated PNG',
  category: 'image',
  description: 'Saves images as one animated PNG file, with the workflow inside.',
  required: {
    images,
    filename_prefix,
    fps,
    compress_level: int({ default: 4, min: 0, max: 9, tooltip: "zlib's." }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'images', tooltip: 'The images, as they came.' }],
  outputNode: true,
  async run({ images: batch, filename_prefix: prefix, fps: rate, compress_level }, context) {
    const options = {
      delay: Math.trunc(1000 / rate),
      compressionLevel: compress_level,
      texts: context.metadata,
    };
    const ui = await saved(batch, prefix, '.png', context, (frames) => encodeAnimatedPng(frames, options));
    return { outputs: [batch], ui };
  },
});
