/** What a UNet's changes come to at one size: which graph it takes, and what that is given beside its usual inputs. */
import type { NamedTensors } from '../../compute/backend.js';
import { ModelError } from '../model-error.js';
import type { FreeU, HyperTile, UnetChanges } from './changes.js';
import type { UnetConfig } from './config.js';

/** How a graph differs from the plain one. */
export interface UnetVariant {
  readonly freeU: readonly FreeU[];
  /** Each transformer block has an input `tiles.INDEX`, as `tiled_attention` takes it. */
  readonly tiled: boolean;
  /** Each transformer block of the first level has an input `order.INDEX`, all have `merge_counts`, as `token_groups` takes them. */
  readonly merged: boolean;
  /** There is an output `attention`: N×T of the middle block. */
  readonly recordsAttention: boolean;
}

export const plainVariant: UnetVariant = { freeU: [], tiled: false, merged: false, recordsAttention: false };

/** Where random numbers come from: torch's CPU generator. */
export interface RandomSource {
  random32(): number;
}

export interface VariantInput {
  /** Of the latent. */
  readonly height: number;
  readonly width: number;
  /** Needed where changes draw. */
  readonly random: RandomSource | undefined;
}

export interface ChosenVariant {
  readonly variant: UnetVariant;
  readonly inputs: NamedTensors;
}

/** Draws what the changes draw for one evaluation. Throws `ModelError` for changes that exclude each other. */
export function chooseVariant(
  config: UnetConfig,
  { freeU, hyperTile, mergeRatio, recordsAttention = false }: UnetChanges,
  input: VariantInput,
): ChosenVariant {
  const levels = transformerLevels(config);
  const tiles = hyperTile === undefined ? [] : drawTiles(hyperTile, levels, input);
  const tiled = tiles.some(([down, across]) => down * across > 1);
  if (tiled && recordsAttention && isCut(tiles[middleIndex(config)])) {
    throw new ModelError(
      'SelfAttentionGuidance needs the middle block whole: lower max_depth of HyperTile, or leave one of the two out',
    );
  }
  const merging = mergeRatio === undefined ? undefined : drawMerging(mergeRatio, levels, input);
  return {
    variant: { freeU, tiled, merged: merging !== undefined, recordsAttention },
    inputs: {
      ...(tiled
        ? Object.fromEntries(
            tiles.map((tile, index) => [`tiles.${index}`, { shape: [4], data: Int32Array.from(tile) }]),
          )
        : {}),
      ...merging,
    },
  };
}

/** The level of each transformer block, in order of execution; the finest is 0. */
export function transformerLevels(config: UnetConfig): readonly number[] {
  const { residualBlocks, transformerDepth, transformerDepthMiddle, transformerDepthOutput } = config;
  const last = residualBlocks.length - 1;
  const down = residualBlocks.flatMap((count, level) => Array<number>(count).fill(level));
  const up = residualBlocks.flatMap((count, level) => Array<number>(count + 1).fill(level)).reverse();
  const repeated = (levels: readonly number[], depths: readonly number[]) =>
    levels.flatMap((level, index) => Array<number>(depths[index] ?? 0).fill(level));
  return [
    ...repeated(down, transformerDepth),
    ...repeated([last], [Math.max(transformerDepthMiddle, 0)]),
    ...repeated(up, transformerDepthOutput),
  ];
}

/** The index of the middle block's first transformer block. */
function middleIndex({ transformerDepth }: UnetConfig): number {
  return transformerDepth.reduce((sum, depth) => sum + depth, 0);
}

/** nh, nw, h, w */
type Tiles = readonly [down: number, across: number, height: number, width: number];

function isCut(tiles: Tiles | undefined): boolean {
  return tiles !== undefined && tiles[0] * tiles[1] > 1;
}

/** ComfyUI comfy_extras/nodes_hypertile.py, hypertile_in. */
function drawTiles(options: HyperTile, levels: readonly number[], input: VariantInput): readonly Tiles[] {
  const { height, width } = input;
  const tileSize = Math.floor(Math.max(32, options.tileSize) / 8);
  const areas = Array.from(
    { length: options.maxDepth + 1 },
    (_, depth) => (height / 2 ** depth) * (width / 2 ** depth),
  );
  return levels.map((level): Tiles => {
    const tokens = halved(height, level) * halved(width, level);
    const depth = areas.indexOf(tokens);
    if (depth === -1) return [1, 1, tokens, 1];
    const aspect = width / height;
    // As there, the sides change places.
    const [first, second] = [Math.round(Math.sqrt(tokens * aspect)), Math.round(Math.sqrt(tokens / aspect))];
    const least = tileSize * (options.scaleDepth ? 2 ** depth : 1);
    const down = drawDivision(first, least, options.swapSize, input.random);
    const across = drawDivision(second, least, options.swapSize, input.random);
    return [down, across, first, second];
  });
}

/** An extent after `times` convolutions of stride 2. */
function halved(extent: number, times: number): number {
  let left = extent;
  for (let i = 0; i < times; i++) left = Math.ceil(left / 2);
  return left;
}

/** Into how many parts of at least `least` an extent is cut; drawn from `options` ways (random_divisor). */
function drawDivision(
  extent: number,
  least: number,
  options: number,
  random: RandomSource | undefined,
): number {
  const parts: number[] = [];
  for (let size = Math.min(least, extent); size <= extent && parts.length < options; size++) {
    if (extent % size === 0) parts.push(extent / size);
  }
  // The last way is never drawn: torch.randint's upper end is exclusive.
  const choices = parts.length - 1;
  return parts[choices > 0 ? drawBelow(choices, random) : 0]!;
}

/** torch.randint(count), for `count` below 2²⁸. */
function drawBelow(count: number, random: RandomSource | undefined): number {
  if (random === undefined) throw new ModelError('this model draws random numbers, and was given none');
  return random.random32() % count;
}

/** ComfyUI comfy_extras/nodes_tomesd.py, bipartite_soft_matching_random2d; undefined where nothing is merged. */
function drawMerging(
  ratio: number,
  levels: readonly number[],
  { height, width, random }: VariantInput,
): NamedTensors | undefined {
  const wanted = Math.trunc(height * width * ratio);
  if (wanted <= 0 || height === 1 || width === 1) return undefined;
  const destinations = Math.floor(height / 2) * Math.floor(width / 2);
  const merged = Math.min(wanted, height * width - destinations);
  const orders = levels.flatMap((level, index) =>
    level === 0 ? [[`order.${index}`, drawOrder(height, width, random)] as const] : [],
  );
  if (orders.length === 0) return undefined;
  return {
    ...Object.fromEntries(orders.map(([name, data]) => [name, { shape: [data.length], data }])),
    merge_counts: { shape: [2], data: Int32Array.of(merged, destinations) },
  };
}

/** Tokens that may be merged, then one destination of each 2×2 tokens, drawn. */
function drawOrder(height: number, width: number, random: RandomSource | undefined): Int32Array {
  const isDestination = new Uint8Array(height * width);
  for (let y = 0; y + 1 < height; y += 2) {
    for (let x = 0; x + 1 < width; x += 2) {
      const drawn = drawBelow(4, random);
      isDestination[(y + (drawn >> 1)) * width + x + (drawn & 1)] = 1;
    }
  }
  const tokens = Array.from(isDestination.keys());
  return Int32Array.from([
    ...tokens.filter((token) => isDestination[token] === 0),
    ...tokens.filter((token) => isDestination[token] === 1),
  ]);
}
