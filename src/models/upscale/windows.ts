/** Attention within windows, as Swin transformers and their kin have it. */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { GraphBuilder, Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import type { WeightSource } from '../weights/weight-source.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { PictureLayers } from './network.js';

/** How a block's windows lie. */
export interface WindowLayout {
  readonly height: number;
  readonly width: number;
  /** How far the picture is rolled up and to the left before it is cut. */
  readonly shift: readonly [rows: number, columns: number];
}

/**
 * The parts of a rolled picture that were no neighbours before, numbered, 1×1×H×W; extents are multiples of the window's
 * (SwinIR's calculate_mask).
 */
export function windowRegions(
  height: number,
  width: number,
  { height: rows, width: columns, shift }: WindowLayout,
): Tensor {
  const regions = tensor([1, 1, height, width]);
  const part = (at: number, extent: number, window: number, by: number): number =>
    at < extent - window ? 0 : at < extent - by ? 1 : 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = shift[0] === 0 ? 0 : part(y, height, rows, shift[0]);
      const column = shift[1] === 0 ? 0 : part(x, width, columns, shift[1]);
      regions.data[y * width + x] = 3 * row + column;
    }
  }
  return regions;
}

/** Relative positions in a window: (2h − 1)·(2w − 1) entries, of which token pair (i, j) has number `index(i, j)`. */
export function relativeIndex(height: number, width: number): (i: number, j: number) => number {
  return (i, j) => {
    const rows = Math.floor(i / width) - Math.floor(j / width) + height - 1;
    const columns = (i % width) - (j % width) + width - 1;
    return rows * (2 * width - 1) + columns;
  };
}

/** heads×T×T from a table of one row for each relative position. */
export function relativeBias(table: Weight, height: number, width: number): Weight {
  const tokens = height * width;
  const heads = table.shape[1]!;
  const index = relativeIndex(height, width);
  return computed(table.name, [heads, tokens, tokens], () => {
    const rows = valuesOf(table);
    const bias = new Float32Array(heads * tokens * tokens);
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) {
        const row = index(i, j) * heads;
        for (let head = 0; head < heads; head++) bias[(head * tokens + i) * tokens + j] = rows[row + head]!;
      }
    }
    return bias;
  });
}

/** Queries, keys and values that one linear layer made together. */
export function splitThree(graph: GraphBuilder, joined: Value): readonly [Value, Value, Value] {
  const features = (joined.shape.at(-1) as number) / 3;
  const axis = joined.shape.length - 1;
  const part = (index: number) => graph.slice(joined, axis, index * features, features);
  return [part(0), part(1), part(2)];
}

/** Cuts a picture, rolled first, into windows; `body` maps them; and puts them back where they were. */
export function inWindows(
  graph: GraphBuilder,
  x: Value,
  { height, width, shift }: WindowLayout,
  body: (windows: Value) => Value,
): Value {
  const [rows, columns] = shift;
  const shifted = rows !== 0 || columns !== 0;
  const rolled = shifted ? graph.roll(x, -rows, -columns) : x;
  const mapped = body(graph.windows(rolled, height, width));
  const joined = graph.joinWindows(mapped, rolled, height, width);
  return shifted ? graph.roll(joined, rows, columns) : joined;
}

/** The regions of rolled windows, an input of the graph beside the picture: windows×T×1. */
export function regionsOf(
  graph: GraphBuilder,
  like: Value,
  { height, width }: WindowLayout,
  name = 'regions',
): Value {
  const [, , rows, columns] = like.shape;
  return graph.windows(graph.input(name, [1, 1, rows!, columns!]), height, width);
}

/** Swin's attention within windows of a picture, with a table of biases for relative positions. */
export function swinAttention(
  nn: PictureLayers,
  weights: WeightSource,
  picture: Value,
  path: string,
  layout: WindowLayout,
  regions: Value | undefined,
): Value {
  const { graph } = nn;
  const table = weights.weight(`${path}.relative_position_bias_table`);
  const heads = table.shape[1]!;
  return inWindows(graph, picture, layout, (windows) => {
    const [query, key, value] = splitThree(graph, nn.linear(windows, `${path}.qkv`));
    const mixed = graph.windowAttention(query, key, value, heads, {
      scale: ((query.shape[2] as number) / heads) ** -0.5,
      bias: relativeBias(table, layout.height, layout.width),
      regions,
    });
    return nn.linear(mixed, `${path}.proj`);
  });
}
