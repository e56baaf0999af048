/** Turning and cutting latents (ComfyUI nodes.py). */
import { crop, flipColumns, flipRows, LATENT_ROWS, rotate } from '../../imaging/planes.js';
import { combo, defineNode, int, link } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const ROTATIONS = ['none', '90 degrees', '180 degrees', '270 degrees'] as const;

export const latentRotate = defineNode({
  name: 'LatentRotate',
  displayName: 'Rotate Latent',
  category: 'model/latent/transform',
  description: 'Turns latents clockwise.',
  required: { samples: link('LATENT'), rotation: combo(ROTATIONS) },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, rotation }) {
    const quarters = ROTATIONS.indexOf(rotation) as 0 | 1 | 2 | 3;
    return { outputs: [{ ...latent, samples: rotate(latent.samples, LATENT_ROWS, quarters) }] };
  },
});

export const latentFlip = defineNode({
  name: 'LatentFlip',
  displayName: 'Flip Latent',
  category: 'model/latent/transform',
  description: 'Mirrors latents upside down or left to right.',
  required: {
    samples: link('LATENT'),
    flip_method: combo(['x-axis: vertically', 'y-axis: horizontally']),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, flip_method }) {
    const flip = flip_method === 'x-axis: vertically' ? flipRows : flipColumns;
    return { outputs: [{ ...latent, samples: flip(latent.samples, LATENT_ROWS) }] };
  },
});

const pixels = (initial: number, min: number, tooltip: string) =>
  int({ default: initial, min, max: MAX_RESOLUTION, step: 8, tooltip });

export const latentCrop = defineNode({
  name: 'LatentCrop',
  displayName: 'Crop Latent',
  category: 'model/latent/transform',
  description: 'Cuts a rectangle, given in pixels, out of latents.',
  required: {
    samples: link('LATENT'),
    width: pixels(512, 64, 'Width in pixels.'),
    height: pixels(512, 64, 'Height in pixels.'),
    x: pixels(0, 0, 'Left edge in pixels.'),
    y: pixels(0, 0, 'Upper edge in pixels.'),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, width, height, x, y }) {
    const [, , ownHeight, ownWidth] = latent.samples.shape as readonly [number, number, number, number];
    const rows = extent(y, height, ownHeight);
    const columns = extent(x, width, ownWidth);
    const samples = crop(latent.samples, LATENT_ROWS, {
      y: rows.start,
      x: columns.start,
      height: rows.length,
      width: columns.length,
    });
    return { outputs: [{ ...latent, samples }] };
  },
});

/**
 * Latent pixels of an extent given in pixels, begun so that 8 stay. In a latent of fewer the start is negative and counts
 * from the end, as Python's slices do.
 */
function extent(start: number, length: number, own: number) {
  const begin = Math.min(Math.floor(start / 8), own - 8);
  const from = begin < 0 ? Math.max(0, begin + own) : begin;
  return { start: from, length: Math.max(0, begin + Math.floor(length / 8) - from) };
}
