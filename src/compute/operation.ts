/** What a node of the compute graph computes. */
import type { Shape } from './dim.js';
import type { PictureOperation } from './picture-operation.js';
import type { RestorationOperation } from './restoration-operation.js';
import type { Weight } from './weight.js';

export type DType = 'float32' | 'int32';
export type Activation = 'silu' | 'gelu' | 'quick_gelu' | 'relu' | 'sigmoid' | 'tanh';

/** A tensor in the graph. */
export interface Value {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Padding of a convolution in pixels: top, left, bottom, right (ONNX's order). */
export type Padding = readonly [top: number, left: number, bottom: number, right: number];

/** What a node computes; operands are values, parameters are weights. */
export type Operation =
  | {
      readonly kind: 'conv2d';
      readonly x: Value;
      readonly weight: Weight;
      readonly bias: Weight | undefined;
      readonly stride: number;
      readonly padding: Padding;
    }
  | { readonly kind: 'linear'; readonly x: Value; readonly weight: Weight; readonly bias: Weight | undefined }
  | {
      readonly kind: 'group_norm';
      readonly x: Value;
      readonly groups: number;
      readonly weight: Weight;
      readonly bias: Weight;
      readonly epsilon: number;
    }
  | {
      readonly kind: 'layer_norm';
      readonly x: Value;
      readonly weight: Weight;
      readonly bias: Weight;
      readonly epsilon: number;
    }
  | { readonly kind: 'activation'; readonly x: Value; readonly function: Activation }
  /** Splits the last axis in halves (a, b) and yields a·gelu(b). */
  | { readonly kind: 'geglu'; readonly x: Value }
  /** softmax(q·kᵀ/√d)·v per head, on N×T×(heads·d); `causal` hides later tokens. */
  | {
      readonly kind: 'attention';
      readonly query: Value;
      readonly key: Value;
      readonly value: Value;
      readonly heads: number;
      readonly causal: boolean;
    }
  | { readonly kind: 'add'; readonly a: Value; readonly b: Value }
  | { readonly kind: 'scale'; readonly x: Value; readonly factor: number }
  /** x (N×C×H×W) + v (N×C), the same for every pixel. */
  | { readonly kind: 'add_per_channel'; readonly x: Value; readonly v: Value }
  /** x (N×T×C) + the first T rows of the weight (T'×C). */
  | { readonly kind: 'add_rows'; readonly x: Value; readonly weight: Weight }
  | { readonly kind: 'concat'; readonly values: readonly Value[]; readonly axis: number }
  /** Nearest neighbour to the spatial size of `like`, or by a whole factor. */
  | { readonly kind: 'upsample_nearest'; readonly x: Value; readonly to: Value | number }
  /** N×C×H×W → N×(H·W)×C. */
  | { readonly kind: 'spatial_to_tokens'; readonly x: Value }
  /** N×(H·W)×C → N×C×H×W, with H and W of `like`. */
  | { readonly kind: 'tokens_to_spatial'; readonly x: Value; readonly like: Value }
  /** Row `index[n]` of each sequence: N×T×C, N → N×C. */
  | { readonly kind: 'select_token'; readonly x: Value; readonly index: Value }
  | TokenOperation
  | MapOperation
  | RestorationOperation
  | PictureOperation;

/** Attention over parts of the tokens, and tokens merged before it. */
export type TokenOperation =
  /**
   * Attention within tiles of a picture of h×w tokens cut nh×nw; `tiles` is the int32 vector [nh, nw, h, w], whose first two
   * divide the others. Queries are those of a tile; its keys and values are a run of T/(nh·nw) tokens, the same one by number.
   */
  | {
      readonly kind: 'tiled_attention';
      readonly query: Value;
      readonly key: Value;
      readonly value: Value;
      readonly heads: number;
      readonly tiles: Value;
    }
  /**
   * How much each key is attended to, N×T: Σ over queries of softmax(q·kᵀ/√d), averaged over heads; with `tiles`, as
   * `tiled_attention` takes them, averaged over these, too, N×T/(nh·nw).
   */
  | {
      readonly kind: 'attention_received';
      readonly query: Value;
      readonly key: Value;
      readonly heads: number;
      readonly tiles: Value | undefined;
    }
  /**
   * Groups of like tokens, int32 N×T: bipartite soft matching by cosine. `order` (int32 T) names sources first, then
   * destinations; `counts` is the int32 vector [sources to merge, destinations]. The sources that are likest to a
   * destination share its group; the others have groups of their own, which come first.
   */
  | { readonly kind: 'token_groups'; readonly x: Value; readonly order: Value; readonly counts: Value }
  /** The mean of each group, N×T×C → N×M×C, M being T less the sources that `counts` merges. */
  | { readonly kind: 'merge_tokens'; readonly x: Value; readonly groups: Value; readonly counts: Value }
  /** Each token takes its group's row: N×M×C → N×T×C. */
  | { readonly kind: 'unmerge_tokens'; readonly x: Value; readonly groups: Value };

/** What is done to whole pictures of features, N×C×H×W. */
export type MapOperation =
  /** Multiplies the first `channels` channels by `factor`, or with a `map` (N×1×H×W) by 1 + (factor − 1)·map. */
  | {
      readonly kind: 'scale_channels';
      readonly x: Value;
      readonly channels: number;
      readonly factor: number;
      readonly map: Value | undefined;
    }
  /** The mean over channels, stretched to 0…1 in each picture: N×C×H×W → N×1×H×W. */
  | { readonly kind: 'mean_map'; readonly x: Value }
  /** Multiplies the Fourier modes 0 and −1 of both axes by `factor`. */
  | { readonly kind: 'scale_low_frequencies'; readonly x: Value; readonly factor: number };
