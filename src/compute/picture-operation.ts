/** Operations of networks from picture to picture: upscalers, face restorers. */
import type { Value } from './operation.js';
import type { Weight } from './weight.js';

/** Pointwise operations, and sums over pixels. */
export type PointwiseOperation =
  /** A leaky relu with a slope for each channel of N×C×H×W. */
  | { readonly kind: 'prelu'; readonly x: Value; readonly slope: Weight }
  /** x·tanh(ln(1 + eˣ)). */
  | { readonly kind: 'mish'; readonly x: Value }
  /** x (N×C×H×W) · v (N×C), the same for every pixel. */
  | { readonly kind: 'scale_per_channel'; readonly x: Value; readonly v: Value }
  /** x · weight (C), along the channels of N×C×H×W, the last axis of anything else. */
  | { readonly kind: 'scale_features'; readonly x: Value; readonly weight: Weight }
  /** x + number. */
  | { readonly kind: 'shift'; readonly x: Value; readonly by: number }
  /** The mean over pixels, N×C×H×W → N×C. */
  | { readonly kind: 'mean_pixels'; readonly x: Value };

/** Operations that look at neighbouring pixels. */
export type NeighbourhoodOperation =
  /** torch's bilinear interpolation (align_corners false) to the spatial size of `to`. */
  | { readonly kind: 'resize_to'; readonly x: Value; readonly to: Value }
  /** DySample's: each output pixel is read at its place plus an offset, by bilinear interpolation within the picture. */
  | {
      readonly kind: 'sample_offsets';
      readonly x: Value;
      /** N×(2·groups·factor²)×H×W, in pixels. */
      readonly offsets: Value;
      readonly factor: number;
      readonly groups: number;
    };

/** Operations that only move values. */
export type ArrangementOperation =
  /** N×(C·f²)×H×W → N×C×(H·f)×(W·f). */
  | { readonly kind: 'pixel_shuffle'; readonly x: Value; readonly factor: number }
  /** The inverse. */
  | { readonly kind: 'pixel_unshuffle'; readonly x: Value; readonly factor: number }
  /** Entries [from, from + count) along an axis. */
  | {
      readonly kind: 'slice';
      readonly x: Value;
      readonly axis: number;
      readonly from: number;
      readonly count: number;
    }
  /** torch.roll of rows and columns: what leaves the picture comes in on the other side. */
  | { readonly kind: 'roll'; readonly x: Value; readonly rows: number; readonly columns: number }
  /** N×C×H×W cut into windows that tile it, as tokens: (N·windows)×(height·width)×C. */
  | { readonly kind: 'windows'; readonly x: Value; readonly height: number; readonly width: number }
  /** The inverse, with N, H and W of `like`. */
  | {
      readonly kind: 'join_windows';
      readonly x: Value;
      readonly like: Value;
      readonly height: number;
      readonly width: number;
    }
  /** Zeros below and on the right, up to a multiple of `multiple`. */
  | { readonly kind: 'pad_multiple'; readonly x: Value; readonly multiple: number }
  /** The upper left part of N×C×H×W, as large as `like`. */
  | { readonly kind: 'crop_like'; readonly x: Value; readonly like: Value }
  /**
   * Pixels as far apart as a grid's lines, as tokens. N×C×H×W is cut into `size`×`size` cells (`by` count), or into cells of
   * `size`×`size` pixels (`by` step); tokens are the pixels at one place of all cells: (N·places)×cells×C.
   */
  | {
      readonly kind: 'combs';
      readonly x: Value;
      readonly size: number;
      readonly by: 'count' | 'step';
    }
  /** The inverse, with N, H and W of `like`. */
  | {
      readonly kind: 'join_combs';
      readonly x: Value;
      readonly like: Value;
      readonly size: number;
      readonly by: 'count' | 'step';
    }
  /**
   * As `windows` with `stride` for their distance, each `size` wide and centred on its tile; beyond the picture are zeros.
   */
  | { readonly kind: 'wide_windows'; readonly x: Value; readonly size: number; readonly stride: number };

/** Attention within windows and among channels. */
export type WindowOperation =
  /**
   * softmax(scale·q·kᵀ + bias + mask)·v per head. `bias` is heads×Tq×Tk. `regions` (windows×T×1) numbers the parts of a rolled
   * picture: tokens of different ones hardly see each other (−100).
   */
  | {
      readonly kind: 'window_attention';
      readonly query: Value;
      readonly key: Value;
      readonly value: Value;
      readonly heads: number;
      readonly scale: number;
      readonly bias: Weight | undefined;
      readonly regions: Value | undefined;
    }
  /**
   * Attention of a head's channels among each other: softmax(temperature·q̂·k̂ᵀ)·v with q, k, v as (heads·d)×T, q̂ and k̂ of
   * length 1 along T where `normalized`. Operands are N×T×(heads·d).
   */
  | {
      readonly kind: 'channel_attention';
      readonly query: Value;
      readonly key: Value;
      readonly value: Value;
      readonly heads: number;
      /** One number a head. */
      readonly temperature: Weight;
      readonly normalized: boolean;
    }
  /** Each head's part of N×T×(heads·d) at length 1. */
  | { readonly kind: 'normalize_heads'; readonly x: Value; readonly heads: number };

export type PictureOperation =
  PointwiseOperation | NeighbourhoodOperation | ArrangementOperation | WindowOperation;
