/** What a UNet's changes come to at one size: which graph it takes, and what that is given beside its usual inputs. */
import type { NamedTensors } from '../../compute/backend.js';
import { changesOfKind, type FreeU, type ModelChange, type Shrinking } from '../denoiser/changes.js';
import type { ControlResiduals } from '../denoiser/control.js';
import { drawAttention, type DrawInput, type DrawnAttention } from './attention-draws.js';
import type { UnetConfig } from './config.js';
import { noBlockChanges, type BlockChanges } from './block-changes.js';
import { featureSizes, type FeatureSizes } from './feature-sizes.js';
import { repeatRows } from '../../imaging/tensor-ops.js';
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
  /** Input blocks after which features shrink, by inputs `shrink.INDEX.rows` and `.columns`. */
  readonly shrinks: readonly Pick<Shrinking, 'block' | 'afterSkip'>[];
  /** Output blocks before which they grow to their skip's size, by inputs `grow.BLOCK.rows` and `.columns`. */
  readonly growing: readonly number[];
  readonly inBlocks: BlockChanges;
}

export const plainVariant: UnetVariant = {
  freeU: [],
  attention: [],
  recordsAttention: false,
  keepsOwnValues: false,
  control: [],
  pictures: [],
  shrinks: [],
  growing: [],
  inBlocks: noBlockChanges,
};

export interface ChosenVariant {
  readonly variant: UnetVariant;
  readonly inputs: NamedTensors;
}

/** Of one evaluation. */
export interface VariantInput extends DrawInput {
  readonly rows: number;
  readonly sigma: number;
  /** Of each condition in the rows, which prompt it is. */
  readonly prompts: readonly number[];
  readonly control?: ControlResiduals | undefined;
}

/** Draws what the changes draw for one evaluation, and places its residuals. Throws `ModelError` for changes that exclude each other. */
export function chooseVariant(
  config: UnetConfig,
  changes: readonly ModelChange[],
  { control = {}, ...input }: VariantInput,
): ChosenVariant & { readonly sizes: FeatureSizes } {
  const shrinks = shrinksAt(changes, input.sigma);
  // The first of all grows what any of them has shrunk, whether it counts or not.
  const sizes = featureSizes(config, input, shrinks, changesOfKind(changes, 'shrink')[0]?.up);
  const inBlocks = blockChanges(changes, input);
  const drawn = chooseAttention(config, changes, sizes, input);
  const residuals = Object.fromEntries(
    Object.entries(control).map(([place, residual]) => [`control.${place}`, residual]),
  );
  return {
    sizes,
    variant: {
      ...unchangedAttention(changes),
      attention: drawn.kinds,
      control: Object.keys(control).sort(),
      shrinks: shrinks.map(({ block, afterSkip }) => ({ block, afterSkip })),
      growing: sizes.growing,
      inBlocks: inBlocks.changes,
    },
    inputs: { ...residuals, ...sizes.inputs, ...inBlocks.inputs, ...drawn.inputs },
  };
}

function shrinksAt(changes: readonly ModelChange[], sigma: number): readonly Shrinking[] {
  return changesOfKind(changes, 'shrink').filter(
    ({ highest, lowest }) => sigma <= highest && sigma >= lowest,
  );
}

/** What is added within blocks, and what that is given. */
function blockChanges(
  changes: readonly ModelChange[],
  { rows, prompts, height, width }: VariantInput,
): { readonly changes: BlockChanges; readonly inputs: NamedTensors } {
  const away = rowsToLead(rows, prompts);
  const guides = away === undefined ? [] : changesOfKind(changes, 'guide-attention');
  const groundings = changesOfKind(changes, 'ground').map(({ grounding }) => grounding);
  const told = groundings.map(({ model, boxes }) => repeatRows(model.tokens(boxes, height, width), rows));
  return {
    changes: {
      guides: guides.map(({ scale, alpha, tau }) => ({ scale, alpha, tau })),
      hypernetworks: changesOfKind(changes, 'hypernetwork').map(({ network, strength }) => ({
        network,
        strength,
      })),
      groundings: groundings.map(({ model }) => model),
    },
    inputs: {
      ...(guides.length === 0 ? {} : { 'guide.away': { shape: [rows], data: away! } }),
      ...Object.fromEntries(told.map((tokens, index) => [`grounding.${index}`, tokens])),
    },
  };
}

/** Of the first condition with the prompt, the rows of the first one without; undefined where one of them is missing. */
function rowsToLead(rows: number, prompts: readonly number[]): Int32Array | undefined {
  const [positive, negative] = [prompts.indexOf(0), prompts.indexOf(1)];
  if (positive === -1 || negative === -1) return undefined;
  const each = rows / prompts.length;
  return Int32Array.from({ length: rows }, (_, row) =>
    Math.floor(row / each) === positive ? row + (negative - positive) * each : -1,
  );
}

function chooseAttention(
  config: UnetConfig,
  changes: readonly ModelChange[],
  sizes: FeatureSizes,
  input: DrawInput,
): { readonly kinds: readonly AttentionKind[]; readonly inputs: NamedTensors } {
  const attention = changesOfKind(changes, 'tile', 'merge');
  if (attention.length === 0) return { kinds: [], inputs: {} };
  const blocks = blockTokens(config, sizes).map((tokens) => ({
    tokens,
    drawn: drawAttention(attention, tokens, input),
  }));
  if (blocks.every(({ drawn }) => drawn.kind === 'whole')) return { kinds: [], inputs: {} };
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
  return { kinds, inputs: Object.assign({}, ...inputs) as NamedTensors };
}

/** The graph of changes that draw nothing. */
export function unchangedAttention(changes: readonly ModelChange[]): UnetVariant {
  const recordsAttention = changesOfKind(changes, 'record-attention').length > 0;
  const keepsOwnValues = changesOfKind(changes, 'keep-own-values').length > 0;
  return { ...plainVariant, freeU: changesOfKind(changes, 'free-u'), recordsAttention, keepsOwnValues };
}

/** The tokens of each transformer block, in order of execution. */
export function blockTokens(config: UnetConfig, { input, middle, output }: FeatureSizes): readonly number[] {
  const repeated = (sizes: FeatureSizes['input'], depths: readonly number[]) =>
    sizes.flatMap(({ height, width }, index) => Array<number>(depths[index] ?? 0).fill(height * width));
  return [
    ...repeated(input, config.transformerDepth),
    ...repeated([middle], [Math.max(config.transformerDepthMiddle, 0)]),
    ...repeated(output, config.transformerDepthOutput),
  ];
}
