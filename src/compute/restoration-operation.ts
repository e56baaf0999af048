import type { Padding, Value } from './operation.js';
import type { Weight } from './weight.js';

/** What networks that find and restore faces compute beside the rest; pictures are N×C×H×W. */
export type RestorationOperation =
  /** A convolution of which each of `groups` parts of the channels sees itself alone. */
  | {
      readonly kind: 'grouped_conv2d';
      readonly x: Value;
      readonly weight: Weight;
      readonly bias: Weight | undefined;
      readonly stride: number;
      readonly padding: Padding;
      readonly groups: number;
    }
  /** Multiplies negative values by `slope`. */
  | { readonly kind: 'leaky_relu'; readonly x: Value; readonly slope: number }
  /** 1 / √x */
  | { readonly kind: 'rsqrt'; readonly x: Value }
  /** The greatest value of each square; the padding is never it. With `partial` squares over the edge count (torch's ceil_mode). */
  | {
      readonly kind: 'max_pool';
      readonly x: Value;
      readonly size: number;
      readonly stride: number;
      readonly padding: number;
      readonly partial: boolean;
    }
  /** torch.nn.functional.interpolate(scale_factor, mode='bilinear'), twice the size or half of it. */
  | { readonly kind: 'resize_bilinear'; readonly x: Value; readonly factor: 2 | 0.5 }
  /** Pads with the mirror image, the border itself left out. */
  | { readonly kind: 'pad_reflect'; readonly x: Value; readonly padding: Padding }
  /** a + b or a·b of equal rank; extents of 1 are repeated. */
  | {
      readonly kind: 'broadcast';
      readonly function: 'add' | 'multiply';
      readonly a: Value;
      readonly b: Value;
    }
  /** A parameter as a value, 1×C×H×W. */
  | { readonly kind: 'constant'; readonly weight: Weight }
  /** The row of the table (K×C) with the highest score, for each token: N×T×K → N×T×C. */
  | { readonly kind: 'select_rows'; readonly scores: Value; readonly table: Weight }
  /** Channels [from, to). */
  | { readonly kind: 'slice_channels'; readonly x: Value; readonly from: number; readonly to: number }
  /** Of `groups` runs of channels, the first of each, then the second of each, and so on. */
  | { readonly kind: 'shuffle_channels'; readonly x: Value; readonly groups: number };
