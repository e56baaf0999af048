/**
 * Changes of how a network computes, as nodes hang them on a model (ComfyUI's model patches). A network heeds those of the kinds that
 * it knows; to another, they do nothing, as in ComfyUI.
 */
import type { LatentUpscaleMethod } from '../../imaging/upscale.js';
import type { AttendedPictures } from './attended-pictures.js';
import type { Grounding } from './grounding.js';
import type { Hypernetwork } from './hypernetwork.js';

/** Si et al., "FreeU: Free Lunch in Diffusion U-Net", 2023: the backbone's features scaled up, the skips' smooth ones down. */
export interface FreeU {
  readonly kind: 'free-u';
  /** 2: the backbone is scaled where its mean is high. */
  readonly version: 1 | 2;
  /** Where the backbone has four times the model's channels: of the backbone, and of the skip. */
  readonly deep: FreeUScales;
  /** Where it has twice as many. */
  readonly middle: FreeUScales;
}

export interface FreeUScales {
  readonly backbone: number;
  readonly skip: number;
}

/** HyperTile: tokens attend to each other within tiles of a picture. */
export interface HyperTile {
  readonly kind: 'tile';
  /** Pixels; the least side of a tile. */
  readonly tileSize: number;
  /** From how many divisions of a side is drawn. */
  readonly swapSize: number;
  /** Times that a picture may have been halved. */
  readonly maxDepth: number;
  /** Tiles grow with each halving. */
  readonly scaleDepth: boolean;
}

/** Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", 2023: tokens that are alike attend as one. */
export interface TokenMerging {
  readonly kind: 'merge';
  /** Share of the tokens merged into others. */
  readonly ratio: number;
}

/** The network tells how the middle block's tokens are attended to (`Evaluation.onAttention`). */
export interface AttentionRecording {
  readonly kind: 'record-attention';
}

/** Tokens of the middle block attend to themselves alone (perturbed-attention guidance). */
export interface OwnValues {
  readonly kind: 'keep-own-values';
}

/** Tokens attend to pictures beside the text (IP-Adapter). */
export interface PicturePrompts {
  readonly kind: 'pictures';
  readonly pictures: AttendedPictures;
}

/** Blocks of a transformer that are left out, by their numbers (skip layer guidance). */
export interface SkippedBlocks {
  readonly kind: 'skip-blocks';
  /** Of those with streams of their own for text and image, or of the only kind. */
  readonly double: readonly number[];
  /** Of those with one stream. */
  readonly single: readonly number[];
}

/** Features that a block yields shrink, and grow again where they meet larger ones (Kohya's deep shrink). */
export interface Shrinking {
  readonly kind: 'shrink';
  /** Its number among the input blocks. */
  readonly block: number;
  readonly factor: number;
  /** Noise levels between which it does so, both included. */
  readonly highest: number;
  readonly lowest: number;
  /** What the output block of the same size is given stays as it is. */
  readonly afterSkip: boolean;
  /** `bislerp` is none that a network here has. */
  readonly down: Exclude<LatentUpscaleMethod, 'bislerp'>;
  readonly up: Exclude<LatentUpscaleMethod, 'bislerp'>;
}

/** What tokens attend to each other for is led away from what they do without the prompt (NAG). */
export interface GuidedAttention {
  readonly kind: 'guide-attention';
  readonly scale: number;
  readonly alpha: number;
  readonly tau: number;
}

/** Keys and values are made of what small networks add to what they are made of. */
export interface Hypernetworks {
  readonly kind: 'hypernetwork';
  readonly network: Hypernetwork;
  readonly strength: number;
}

/** Tokens attend to descriptions of places as well (GLIGEN). */
export interface GroundedPrompts {
  readonly kind: 'ground';
  readonly grounding: Grounding;
}

/**
 * A further kind is a member here and a reader in the networks that heed it: what shapes their graph becomes part of its variant, and
 * what it feeds in each evaluation inputs of that graph.
 */
export type ModelChange =
  | FreeU
  | HyperTile
  | TokenMerging
  | AttentionRecording
  | OwnValues
  | PicturePrompts
  | SkippedBlocks
  | Shrinking
  | GuidedAttention
  | Hypernetworks
  | GroundedPrompts;

/** Those of some kinds, in order. */
export function changesOfKind<Kind extends ModelChange['kind']>(
  changes: readonly ModelChange[],
  ...kinds: readonly Kind[]
): Extract<ModelChange, { readonly kind: Kind }>[] {
  const wanted: readonly string[] = kinds;
  return changes.filter((change): change is Extract<ModelChange, { readonly kind: Kind }> =>
    wanted.includes(change.kind),
  );
}
