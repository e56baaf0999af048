/** How each transformer block attends in one evaluation, as changes of its attention draw it. */
import type { HyperTile, TokenMerging } from '../denoiser/changes.js';
import type { RandomSource } from '../denoiser/denoiser.js';
import { ModelError } from '../model-error.js';

/** A latent's extents, and what changes draw on; needed where they draw. */
export interface DrawInput {
  readonly height: number;
  readonly width: number;
  readonly random: RandomSource | undefined;
}

/** As `tiled_attention` takes them: how often a picture is cut, and the picture in tokens. */
export type Tiles = readonly [down: number, across: number, height: number, width: number];

/** As `token_groups` takes it. */
export interface Merging {
  readonly order: Int32Array;
  readonly merged: number;
  readonly destinations: number;
}

export type DrawnAttention =
  | { readonly kind: 'whole' }
  | { readonly kind: 'tiled'; readonly tiles: Tiles }
  | { readonly kind: 'merged'; readonly merging: Merging };

/**
 * What `changes` make of a transformer block of `tokens`, in order: each sees the tokens that are left by the one before.
 * Throws `ModelError` where both cut or merge the same block, at which ComfyUI fails.
 */
export function drawAttention(
  changes: readonly (HyperTile | TokenMerging)[],
  tokens: number,
  input: DrawInput,
): DrawnAttention {
  let drawn: DrawnAttention = { kind: 'whole' };
  let left = tokens;
  for (const change of changes) {
    const next = change.kind === 'tile' ? drawTiles(change, left, input) : drawMerging(change, left, input);
    if (next.kind === 'whole') continue;
    if (drawn.kind !== 'whole') {
      throw new ModelError(
        `${nodeOf[next.kind]} can't follow ${nodeOf[drawn.kind]} here: both change the attention of ${tokens} tokens; leave one of the two out`,
      );
    }
    drawn = next;
    left = next.kind === 'tiled' ? left / (next.tiles[0] * next.tiles[1]) : left - next.merging.merged;
  }
  return drawn;
}

const nodeOf = { tiled: 'HyperTile', merged: 'TomePatchModel' };

/** ComfyUI comfy_extras/nodes_hypertile.py, hypertile_in. */
function drawTiles(
  { tileSize, swapSize, maxDepth, scaleDepth }: HyperTile,
  tokens: number,
  { height, width, random }: DrawInput,
): DrawnAttention {
  const areas = Array.from(
    { length: maxDepth + 1 },
    (_, depth) => (height / 2 ** depth) * (width / 2 ** depth),
  );
  const depth = areas.indexOf(tokens);
  if (depth === -1) return { kind: 'whole' };
  const aspect = width / height;
  // As there, the sides change places.
  const [first, second] = [Math.round(Math.sqrt(tokens * aspect)), Math.round(Math.sqrt(tokens / aspect))];
  const least = Math.floor(Math.max(32, tileSize) / 8) * (scaleDepth ? 2 ** depth : 1);
  const down = drawDivision(first, least, swapSize, random);
  const across = drawDivision(second, least, swapSize, random);
  return down * across === 1 ? { kind: 'whole' } : { kind: 'tiled', tiles: [down, across, first, second] };
}

/** Into how many parts of at least `least` an extent is cut; drawn from `options` divisions (random_divisor). */
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
  // The last is never drawn: torch.randint's upper end is exclusive.
  const choices = parts.length - 1;
  return parts[choices > 0 ? drawBelow(choices, random) : 0]!;
}

/** torch.randint(count), for `count` below 2²⁸. */
function drawBelow(count: number, random: RandomSource | undefined): number {
  if (random === undefined) throw new ModelError('this model draws random numbers, and was given none');
  return random.random32() % count;
}

/** ComfyUI comfy_extras/nodes_tomesd.py, get_functions and bipartite_soft_matching_random2d. */
function drawMerging(
  { ratio }: TokenMerging,
  tokens: number,
  { height, width, random }: DrawInput,
): DrawnAttention {
  const downsample = Math.ceil(Math.sqrt(Math.floor((height * width) / tokens)));
  const wanted = Math.trunc(tokens * ratio);
  if (downsample > 1 || wanted <= 0 || height === 1 || width === 1) return { kind: 'whole' };
  const destinations = Math.floor(height / 2) * Math.floor(width / 2);
  const merged = Math.min(wanted, height * width - destinations);
  return { kind: 'merged', merging: { order: drawOrder(height, width, random), merged, destinations } };
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
