/** What SAM is asked, as tokens (segment_anything/modeling/prompt_encoder.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';

const { fround } = Math;
const PREFIX = 'prompt_encoder';

/** A place in the network's input, in pixels. */
export interface PromptPoint {
  readonly x: number;
  readonly y: number;
  readonly isInside: boolean;
}

/** Left, top, right and bottom in the network's input. */
export type PromptBox = readonly [x1: number, y1: number, x2: number, y2: number];

/** Sines and cosines of places by random frequencies. */
export class PlaceCodes {
  private readonly frequencies: Float32Array;
  private readonly half: number;

  constructor(weights: WeightSource) {
    const matrix = weights.weight(`${PREFIX}.pe_layer.positional_encoding_gaussian_matrix`);
    this.frequencies = valuesOf(matrix);
    this.half = matrix.shape[1]!;
  }

  /** Of a place from 0 to 1 in both directions: 2·half values. */
  of(x: number, y: number): Float32Array {
    const { half, frequencies } = this;
    const [across, down] = [fround(2 * fround(x) - 1), fround(2 * fround(y) - 1)];
    const result = new Float32Array(2 * half);
    for (let at = 0; at < half; at++) {
      const sum = fround(across * frequencies[at]! + down * frequencies[half + at]!);
      const angle = fround(fround(2 * Math.PI) * sum);
      result[at] = Math.sin(angle);
      result[half + at] = Math.cos(angle);
    }
    return result;
  }

  /** Of a square of `grid` places, 1×C×grid×grid. */
  ofGrid(grid: number): Tensor {
    const result = tensor([1, 2 * this.half, grid, grid]);
    for (let y = 0; y < grid; y++) {
      for (let x = 0; x < grid; x++) {
        this.of((x + 0.5) / grid, (y + 0.5) / grid).forEach((value, channel) => {
          result.data[(channel * grid + y) * grid + x] = value;
        });
      }
    }
    return result;
  }
}

/** Tokens of points and of a box, 1×T×C. Points without a box are followed by one that is none. */
export function promptTokens(
  weights: WeightSource,
  codes: PlaceCodes,
  points: readonly PromptPoint[],
  box: PromptBox | undefined,
  pixels: number,
): Tensor {
  const kindOf = (at: number) => valuesOf(weights.weight(`${PREFIX}.point_embeddings.${at}.weight`));
  const placed = (x: number, y: number, kind: number): Float32Array => {
    const own = kindOf(kind);
    return codes
      .of(fround(fround(x) + 0.5) / pixels, fround(fround(y) + 0.5) / pixels)
      .map((value, at) => value + own[at]!);
  };
  const tokens = points.map(({ x, y, isInside }) => placed(x, y, isInside ? 1 : 0));
  if (box === undefined) {
    if (points.length > 0) tokens.push(valuesOf(weights.weight(`${PREFIX}.not_a_point_embed.weight`)));
  } else {
    tokens.push(placed(box[0], box[1], 2), placed(box[2], box[3], 3));
  }
  const channels = tokens[0]?.length ?? 0;
  const result = tensor([1, tokens.length, channels]);
  tokens.forEach((values, at) => {
    result.data.set(values, at * channels);
  });
  return result;
}

/** What is added to each place of an encoded picture where no mask is shown. */
export function withoutMask(weights: WeightSource, features: Tensor): Tensor {
  const own = valuesOf(weights.weight(`${PREFIX}.no_mask_embed.weight`));
  const [, channels = 0] = features.shape;
  const places = features.data.length / channels;
  return tensor(
    features.shape,
    features.data.map((value, at) => value + own[Math.floor(at / places)]!),
  );
}
