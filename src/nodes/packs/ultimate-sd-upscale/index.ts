/** ComfyUI_UltimateSDUpscale (ssitu, after Coyote-A's script): a large picture repainted tile by tile. */
import {
  boolean,
  combo,
  concatRows,
  defineNode,
  float,
  int,
  link,
  rgbOf,
  samplerNames,
  schedulerNames,
  seed,
  takeRows,
  type Image,
  type RunContext,
  type ValueOf,
} from '../../public.js';
import { resized, sizeOf, wholeBytes, type Size } from './canvas.js';
import { MODES, repaint, SEAM_FIX_MODES, type RedrawOptions } from './redraw.js';
import { inEights } from './tiles.js';

const LARGEST = 8192;
const pixels = (initial: number, tooltip: string, min = 0) =>
  int({ default: initial, min, max: LARGEST, step: 8, tooltip });
const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.01, tooltip });
const blur = (tooltip: string) => int({ default: 8, min: 0, max: 64, step: 1, tooltip });

const image = link('IMAGE', { tooltip: 'The picture to enlarge.' });
const upscaleBy = float({
  default: 2,
  min: 0.05,
  max: 4,
  step: 0.05,
  tooltip: 'How much longer its sides become.',
});

const parts = {
  model: link('MODEL', { tooltip: 'The model that repaints tiles.' }),
  positive: link('CONDITIONING', { tooltip: 'What each tile should show.' }),
  negative: link('CONDITIONING', { tooltip: 'What no tile should show.' }),
  vae: link('VAE', { tooltip: 'Encodes and decodes tiles.' }),
};

const sampling = {
  seed: seed({ tooltip: 'The same noise for each tile.' }),
  steps: int({ default: 20, min: 1, max: 10000, step: 1, tooltip: 'Steps of each tile.' }),
  cfg: float({ default: 8, min: 0, max: 100, tooltip: 'How closely tiles follow the prompt.' }),
  sampler_name: combo(samplerNames, { tooltip: 'The algorithm that goes from noise to picture.' }),
  scheduler: combo(schedulerNames, { tooltip: 'How the noise levels are spread over the steps.' }),
  denoise: share(0.2, 'How much of each tile is made anew; that of the seams as well.'),
};

const tiling = {
  mode_type: combo(MODES, { tooltip: 'The order of the tiles; None repaints the seams alone.' }),
  tile_width: pixels(512, 'Width of a tile.', 64),
  tile_height: pixels(512, 'Height of a tile.', 64),
  mask_blur: blur('How softly a tile passes into its neighbours.'),
  tile_padding: pixels(32, 'How far a tile sees beyond itself.'),
  seam_fix_mode: combo(SEAM_FIX_MODES, { tooltip: 'How the seams between tiles are repainted.' }),
  seam_fix_denoise: share(1, 'The pack leaves it unused: `denoise` counts.'),
  seam_fix_width: pixels(64, 'Width of the bands of Band Pass.'),
  seam_fix_mask_blur: blur('How softly a repainted seam passes into its surroundings.'),
  seam_fix_padding: pixels(16, 'How far a repainted seam sees beyond itself.'),
  force_uniform_tiles: boolean({
    default: true,
    tooltip: 'Tiles at the edges are as large as the others, rather than as large as they have to be.',
  }),
  tiled_decode: boolean({ default: false, tooltip: 'Decodes tiles in tiles.' }),
  batch_size: int({
    default: 1,
    min: 1,
    max: 4096,
    step: 1,
    tooltip: 'Tiles that are sampled at once, without seeing one another.',
  }),
};

const shared = { category: 'image/upscaling', drawsNoise: true };

export const ultimateSdUpscale = defineNode({
  ...shared,
  name: 'UltimateSDUpscale',
  displayName: 'Ultimate SD Upscale',
  description: 'Enlarges a picture, and repaints it tile by tile.',
  required: {
    image,
    ...parts,
    upscale_by: upscaleBy,
    ...sampling,
    upscale_model: link('UPSCALE_MODEL', { tooltip: 'Enlarges the picture before it is repainted.' }),
    ...tiling,
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', tooltip: 'The repainted picture.' }],
  run: upscaled,
});

export const ultimateSdUpscaleNoUpscale = defineNode({
  ...shared,
  name: 'UltimateSDUpscaleNoUpscale',
  displayName: 'Ultimate SD Upscale (No Upscale)',
  description: 'Repaints a picture tile by tile.',
  required: {
    upscaled_image: link('IMAGE', { tooltip: 'The picture to repaint.' }),
    ...parts,
    ...sampling,
    ...tiling,
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE', tooltip: 'The repainted picture.' }],
  run: ({ upscaled_image, ...options }, context) =>
    upscaled({ ...options, image: upscaled_image, upscale_by: 1 }, context),
});

export const ultimateSdUpscaleCustomSample = defineNode({
  ...shared,
  name: 'UltimateSDUpscaleCustomSample',
  displayName: 'Ultimate SD Upscale (Custom Sample)',
  description: 'Enlarges a picture, and repaints it tile by tile with any sampler along any schedule.',
  required: { image, ...parts, upscale_by: upscaleBy, ...sampling, ...tiling },
  optional: {
    upscale_model: link('UPSCALE_MODEL', { tooltip: 'Pillow enlarges the picture when left out.' }),
    custom_sampler: link('SAMPLER', { tooltip: 'In the place of `sampler_name`, with a schedule.' }),
    custom_sigmas: link('SIGMAS', { tooltip: 'In the place of steps and scheduler, with a sampler.' }),
  },
  outputs: [{ type: 'IMAGE', name: 'IMAGE', tooltip: 'The repainted picture.' }],
  run: upscaled,
});

interface UpscaleOptions extends RedrawOptions {
  readonly image: Image;
  readonly upscale_by: number;
  readonly upscale_model?: ValueOf<'UPSCALE_MODEL'> | undefined;
}

async function upscaled(
  options: UpscaleOptions,
  context: RunContext,
): Promise<{ readonly outputs: readonly [Image] }> {
  if (options.batch_size > 1 && !options.force_uniform_tiles) {
    throw new RangeError(
      `a batch_size of ${options.batch_size} needs force_uniform_tiles: tiles of a batch are of one size`,
    );
  }
  const image = rgbOf(options.image);
  if ((options.custom_sampler === undefined) !== (options.custom_sigmas === undefined)) {
    context.warn('custom_sampler and custom_sigmas count together only: sampler_name and scheduler are used');
  }
  const canvas = await enlarged(image, options, context);
  return { outputs: [await repaint(canvas, sizeOf(image), options, context)] };
}

async function enlarged(image: Image, options: UpscaleOptions, context: RunContext): Promise<Image> {
  const [width, height] = sizeOf(image);
  const target: Size = [inEights(width * options.upscale_by), inEights(height * options.upscale_by)];
  if (target[0] < 8 || target[1] < 8) {
    throw new RangeError(
      `${width}×${height} pixels enlarged by ${options.upscale_by} are none: a side has to have 8 at least`,
    );
  }
  const factors = factorsOf(Math.ceil(Math.max(...target) / Math.max(width, height)));
  const model = options.upscale_model;
  if (factors.length > 0 && model !== undefined) {
    // The same picture again, however large it has to become.
    const large = await model.upscale(image, { signal: context.signal });
    return resized(wholeBytes(large), target);
  }
  const bytes = wholeBytes(image);
  // Only the first picture goes by way of whole factors.
  const first = factors.reduce(
    (picture, factor) => {
      const [ownWidth, ownHeight] = sizeOf(picture);
      return resized(picture, [ownWidth * factor, ownHeight * factor]);
    },
    takeRows(bytes, 0, 1),
  );
  const [count = 1] = bytes.shape;
  const others = count === 1 ? [] : [resized(takeRows(bytes, 1, count - 1), target)];
  return others.reduce(concatRows, resized(first, target));
}

/** Twos, threes and fours that make up a factor, or the next one that they can (USDUpscaler.get_factors). */
function factorsOf(factor: number): number[] {
  const step = (whole: number) => (whole === 1 ? 2 : [4, 3, 2].find((part) => whole % part === 0));
  let goal = factor;
  while (step(goal) === undefined) goal++;
  const factors: number[] = [];
  for (let reached = 1; reached < goal;) {
    const next = step(Math.floor(goal / reached)) ?? 2;
    factors.push(next);
    reached *= next;
  }
  return factors;
}
