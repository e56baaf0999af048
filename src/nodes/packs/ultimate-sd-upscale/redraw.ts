/** Repainting a canvas part by part (modules/processing.py, usdu_patch.py and Coyote-A's ultimate-upscale.py). */
import {
  concatRows,
  partOfRun,
  sampleCustom,
  sampleLatent,
  takeRows,
  tensor,
  type Image,
  type RunContext,
  type ValueOf,
} from '../../public.js';
import {
  blurred,
  cropRegion,
  layOver,
  placed,
  resized,
  sizeOf,
  whiteRectangle,
  wholeBytes,
  type PlacedMask,
  type Size,
} from './canvas.js';
import { croppedConditioning } from './conditioning.js';
import { columnBand, columnGradient, cornerGradient, rowBand, rowGradient, type Gradient } from './seams.js';
import { inEights, tileAround, tileOrder, type Tile } from './tiles.js';

export const MODES = ['Linear', 'Chess', 'None'] as const;
export const SEAM_FIX_MODES = ['None', 'Band Pass', 'Half Tile', 'Half Tile + Intersections'] as const;

export interface RedrawOptions {
  readonly model: ValueOf<'MODEL'>;
  readonly vae: ValueOf<'VAE'>;
  readonly positive: ValueOf<'CONDITIONING'>;
  readonly negative: ValueOf<'CONDITIONING'>;
  readonly seed: bigint;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler_name: string;
  readonly scheduler: string;
  readonly denoise: number;
  readonly mode_type: (typeof MODES)[number];
  readonly tile_width: number;
  readonly tile_height: number;
  readonly mask_blur: number;
  readonly tile_padding: number;
  readonly seam_fix_mode: (typeof SEAM_FIX_MODES)[number];
  readonly seam_fix_mask_blur: number;
  readonly seam_fix_width: number;
  readonly seam_fix_padding: number;
  readonly force_uniform_tiles: boolean;
  readonly tiled_decode: boolean;
  readonly batch_size: number;
  readonly custom_sampler?: ValueOf<'SAMPLER'> | undefined;
  readonly custom_sigmas?: ValueOf<'SIGMAS'> | undefined;
}

/** A round of repainting: masks that follow one another, and how what is around them is cut out. */
interface Pass {
  readonly masks: readonly PlacedMask[];
  readonly padding: number;
  readonly blur: number;
  /** What tiles are brought to where all are of one size. */
  readonly size: Size;
  /** How many are cut out of the canvas before any of them is laid back. */
  readonly together: number;
}

/**
 * The canvas, N×H×W×3, repainted tile by tile, then along the seams. `original` is the size of the picture that areas and masks of
 * the prompts are meant for.
 */
export async function repaint(
  canvas: Image,
  original: Size,
  options: RedrawOptions,
  context: RunContext,
): Promise<Image> {
  const size = sizeOf(canvas);
  const passes = [...tilePasses(size, options), ...seamPasses(size, options)];
  const total = passes.reduce((sum, { masks, together }) => sum + Math.ceil(masks.length / together), 0);
  let done = 0;
  let image = canvas;
  for (const pass of passes) {
    for (let start = 0; start < pass.masks.length; start += pass.together) {
      const masks = pass.masks.slice(start, start + pass.together);
      image = await repaintMasks(image, original, masks, pass, options, partOfRun(context, done++, total));
    }
  }
  return image;
}

function tilePasses(canvas: Size, options: RedrawOptions): Pass[] {
  const { mode_type, tile_width, tile_height, tile_padding, mask_blur, batch_size } = options;
  if (mode_type === 'None') return [];
  const [columns, rows] = gridOf(canvas, options);
  const size: Size = [inEights(tile_width + tile_padding), inEights(tile_height + tile_padding)];
  return tileOrder(mode_type, rows, columns).map((places) => ({
    masks: places.map(([x, y]) => {
      const [left, top] = [x * tile_width, y * tile_height];
      return whiteRectangle([left, top, left + tile_width, top + tile_height], canvas);
    }),
    padding: tile_padding,
    blur: mask_blur,
    size,
    together: batch_size,
  }));
}

function gridOf([width, height]: Size, { tile_width, tile_height }: RedrawOptions): Size {
  return [Math.ceil(width / tile_width), Math.ceil(height / tile_height)];
}

function seamPasses(canvas: Size, options: RedrawOptions): Pass[] {
  const { seam_fix_mode, tile_width: width, tile_height: height, seam_fix_padding: padding } = options;
  const [columns, rows] = gridOf(canvas, options);
  const at = (gradient: Gradient, x: number, y: number) => placed(gradient, x, y, canvas);
  const grid = (gradient: Gradient, inWidth: number, inHeight: number, x: number, y: number) =>
    Array.from({ length: Math.max(inWidth * inHeight, 0) }, (_, index) =>
      at(gradient, (index % inWidth) * width + x, Math.floor(index / inWidth) * height + y),
    );
  const [halfWidth, halfHeight] = [Math.floor(width / 2), Math.floor(height / 2)];
  const tile: Size = [width, height];
  const each = { blur: options.seam_fix_mask_blur, size: tile, together: 1 };
  const halfTiles = (): Pass => ({
    masks: [
      ...grid(rowGradient(tile), columns, rows - 1, 0, halfHeight),
      ...grid(columnGradient(tile), columns - 1, rows, halfWidth, 0),
    ],
    padding,
    ...each,
  });
  switch (seam_fix_mode) {
    case 'None':
      return [];
    case 'Band Pass':
      return bandPasses(canvas, [columns, rows], options);
    case 'Half Tile':
      return [halfTiles()];
    case 'Half Tile + Intersections': {
      const corners = grid(cornerGradient(tile), columns - 1, rows - 1, halfWidth, halfHeight);
      return [halfTiles(), { masks: corners, padding: 0, ...each }];
    }
  }
}

function bandPasses(
  canvas: Size,
  [columns, rows]: Size,
  { tile_width, tile_height, seam_fix_width: thickness, seam_fix_padding: padding }: RedrawOptions,
): Pass[] {
  if (thickness === 0) throw new RangeError('bands of seam_fix_width 0 have no pixels');
  const [width, height] = canvas;
  const before = Math.floor(thickness / 2);
  const each = { padding, blur: 0, together: 1 };
  const upright = columnBand(height, thickness);
  const lying = rowBand(width, thickness);
  return [
    {
      masks: counted(columns - 1, (index) => placed(upright, index * tile_width - before, 0, canvas)),
      size: [thickness + padding * 2, height],
      ...each,
    },
    {
      masks: counted(rows - 1, (index) => placed(lying, 0, index * tile_height - before, canvas)),
      size: [width, thickness + padding * 2],
      ...each,
    },
  ];
}

/** For 1 to `count`. */
function counted<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: Math.max(count, 0) }, (_, index) => make(index + 1));
}

/** Cuts the parts around masks out of all pictures, samples them in one batch, and lays them back. */
async function repaintMasks(
  canvas: Image,
  original: Size,
  masks: readonly PlacedMask[],
  pass: Pass,
  options: RedrawOptions,
  context: RunContext,
): Promise<Image> {
  const size = sizeOf(canvas);
  const [count = 0] = canvas.shape;
  const uniform = options.force_uniform_tiles ? pass.size : undefined;
  const tiles = masks.map((mask) => tileAround(mask, pass.padding, uniform, size));
  const [first] = tiles;
  if (first === undefined) return canvas;
  // Picture by picture, each with all of its tiles.
  const cut = Array.from({ length: count }, (_, index) => takeRows(canvas, index, 1)).flatMap((picture) =>
    tiles.map(({ region, size: tileSize }) => resized(cropRegion(picture, region), tileSize)),
  );
  const regions = Array.from({ length: masks.length === 1 ? 1 : count }, () => tiles).flat();
  const prompt = (conditioning: ValueOf<'CONDITIONING'>) =>
    croppedConditioning(conditioning, {
      regions: regions.map(({ region }) => region),
      original,
      canvas: size,
      tile: first.size,
    });
  const samples = await options.vae.encode(cut.reduce(concatRows));
  const painting = await sampled(samples, prompt, options, context);
  const tiling = options.tiled_decode
    ? { tileSize: 512, overlap: 64, temporalSize: 64, temporalOverlap: 8 }
    : undefined;
  const painted = wholeBytes(await options.vae.decode(painting, tiling));
  const result = tensor(canvas.shape, canvas.data.slice());
  for (let index = 0; index < count; index++) {
    tiles.forEach((tile, place) => {
      const row = takeRows(painted, index * tiles.length + place, 1);
      layBack(result, index, row, tile, blurred(masks[place]!, pass.blur, size));
    });
  }
  return result;
}

function layBack(canvas: Image, index: number, painted: Image, { region }: Tile, mask: PlacedMask): void {
  const fitted = resized(painted, [region[2] - region[0], region[3] - region[1]]);
  layOver(canvas, index, fitted, 0, [region[0], region[1]], mask);
}

async function sampled(
  samples: Image,
  prompt: (conditioning: ValueOf<'CONDITIONING'>) => ValueOf<'CONDITIONING'>,
  options: RedrawOptions,
  context: RunContext,
): Promise<Image> {
  const { custom_sampler: sampler, custom_sigmas: sigmas } = options;
  const choices = { ...options, positive: prompt(options.positive), negative: prompt(options.negative) };
  if (sampler !== undefined && sigmas !== undefined) {
    const noise = { seed: options.seed };
    const [latent] = await sampleCustom({ ...choices, noise, sampler, sigmas, latent: { samples } }, context);
    return latent.samples;
  }
  const latent = await sampleLatent({ samples }, { ...choices, samplerName: options.sampler_name }, context);
  return latent.samples;
}
