/** Changes of how a UNet computes, as nodes hang them on a model (ComfyUI's model patches). */

/** Si et al., "FreeU: Free Lunch in Diffusion U-Net", 2023: the backbone's features scaled up, the skips' smooth ones down. */
export interface FreeU {
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
  /** How many ways of cutting are drawn from. */
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

export type AttentionChange = HyperTile | TokenMerging;

export interface UnetChanges {
  /** In order. */
  readonly freeU: readonly FreeU[];
  /** In order; each sees the tokens that the one before has left. */
  readonly attention: readonly AttentionChange[];
  /** It tells how the middle block's tokens are attended to. */
  readonly recordsAttention?: boolean;
}

export const noChanges: UnetChanges = { freeU: [], attention: [] };
