/** What a UNet's changes come to at one size: which graph it takes, and what that is given beside its usual inputs. */
import type { NamedTensors } from '../../compute/backend.js';
import { changesOfKind, type FreeU, type ModelChange } from '../denoiser/changes.js';
import type { ControlResiduals } from '../denoiser/control.js';
import { drawAttention, type DrawInput, type DrawnAttention } from './attention-draws.js';
import type { UnetConfig } from './config.js';
import { halved } from './extents.js';
import type { PictureBlocks } from './picture-attention.js';

/**
 * How a transformer block attends: `tiled`, with an input `tiles.INDEX` as `tiled_attention` takes it, or `merged`, with
 * `order.INDEX` and `merge_counts` as `token_groups` takes them.
 */
export type AttentionKind = DrawnAttention['kind'];

/** How a graph differs from the plain one. */
export interface UnetVariant {
  readonly freeU: readonly FreeU[];
  /** Of each transformer block, in order of execution; whole where nothing is said. */
  readonly attention: readonly AttentionKind[];
  /** There is an output `attention`: N×T of the middle block. */
  readonly recordsAttention: boolean;
  /** The middle block's self-attention hands on its values as they are. */
  readonly keepsOwnValues: boolean;
  /** Places of `ControlResiduals` whose residuals are inputs `control.PLACE`, in the alphabet's order. */
  readonly control: readonly string[];
  /** Of each change by pictures, the blocks that attend to them. */
  readonly pictures: readonly PictureBlocks[];
}

export const plainVariant: UnetVariant = {
  freeU: [],
  attention: [],
  recordsAttention: false,
  keepsOwnValues: false,
  control: [],
  pictures: [],
};

export interface ChosenVariant {
  readonly variant: UnetVariant;
  readonly inputs: NamedTensors;
}

/** Draws what the changes draw for one evaluation, and places its residuals. Throws `ModelError` for changes that exclude each other. */
export function chooseVariant(
  config: UnetConfig,
  changes: readonly ModelChange[],
  { control = {}, ...input }: DrawInput & { readonly control?: ControlResiduals | undefined },
): ChosenVariant {
  const variant = { ...unchangedAttention(changes), control: Object.keys(control).sort() };
  const residuals = Object.fromEntries(
    Object.entries(control).map(([place, residual]) => [`control.${place}`, residual]),
  );
  const attention = changesOfKind(changes, 'tile', 'merge');
  if (attention.length === 0) return { variant, inputs: residuals };
  const blocks = transformerLevels(config).map((level) => {
    const tokens = halved(input.height, level) * halved(input.width, level);
    return { tokens, drawn: drawAttention(attention, tokens, input) };
  });
  if (blocks.every(({ drawn }) => drawn.kind === 'whole')) return { variant, inputs: residuals };
  // One graph serves however often HyperTile cuts: with it, blocks that are left whole have one tile.
  const isTiled = blocks.some(({ drawn }) => drawn.kind === 'tiled');
  const kinds = blocks.map(({ drawn }) => (isTiled && drawn.kind === 'whole' ? 'tiled' : drawn.kind));
  const inputs = blocks.map(({ tokens, drawn }, index): NamedTensors => {
    if (drawn.kind === 'merged') {
      const { order, merged, destinations } = drawn.merging;
      return {
        [`order.${index}`]: { shape: [order.length], data: order },
        merge_counts: { shape: [2], data: Int32Array.of(merged, destinations) },
      };
    }
    if (!isTiled) return {};
    const tiles = drawn.kind === 'tiled' ? drawn.tiles : [1, 1, tokens, 1];
    return { [`tiles.${index}`]: { shape: [4], data: Int32Array.from(tiles) } };
  });
  return {
    variant: { ...variant, attention: kinds },
    inputs: Object.assign({}, residuals, ...inputs) as NamedTensors,
  };
}

/** The graph of changes that draw nothing. */
export function unchangedAttention(changes: readonly ModelChange[]): UnetVariant {
  const recordsAttention = changesOfKind(changes, 'record-attention').length > 0;
  const keepsOwnValues = changesOfKind(changes, 'keep-own-values').length > 0;
  return { ...plainVariant, freeU: changesOfKind(changes, 'free-u'), recordsAttention, keepsOwnValues };
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
