/**
 * Operations on tokens that both lowerings write with ONNX's own operators. Tensors are channel-major: C×N×T, and T×N for a
 * number a token.
 */
import type { Attributes, OnnxModel } from './model.js';

/** What both lowering contexts can do. */
export interface NodeWriter {
  readonly model: OnnxModel;
  node(operator: string, inputs: readonly string[], attributes?: Attributes): string;
}

const INT64 = 7;

/** A part of the extents of `x`, as an int64 vector. */
function extents(nodes: NodeWriter, x: string, from: number, to: number): string {
  return nodes.node('Shape', [x], { start: from, end: to });
}

function join(nodes: NodeWriter, ...parts: readonly (string | readonly number[])[]): string {
  const names = parts.map((part) => (typeof part === 'string' ? part : nodes.model.ints(part)));
  return nodes.node('Concat', names, { axis: 0 });
}

/** Entry `index` of an int64 vector, as a vector of one. */
function entry(nodes: NodeWriter, vector: string, index: number): string {
  const { model } = nodes;
  return nodes.node('Slice', [vector, model.ints([index]), model.ints([index + 1])]);
}

/** 0 … count − 1, `count` being an int64 vector of one. */
function range(nodes: NodeWriter, count: string): string {
  const { model } = nodes;
  const scalar = (name: string) => nodes.node('Squeeze', [name]);
  return nodes.node('Range', [scalar(model.ints([0])), scalar(count), scalar(model.ints([1]))]);
}

interface AttentionOperands {
  readonly query: string;
  readonly key: string;
  readonly value: string;
}

/** How `tiles` cut queries, and what they read, into as many rows more as there are tiles. */
class Cut {
  private readonly sides: readonly string[];
  private readonly count: string;

  constructor(
    private readonly nodes: NodeWriter,
    tiles: string,
  ) {
    const numbers = nodes.node('Cast', [tiles], { to: INT64 });
    const [down, across, height, width] = [0, 1, 2, 3].map((index) => entry(nodes, numbers, index)) as [
      string,
      string,
      string,
      string,
    ];
    const [tileHeight, tileWidth] = [nodes.node('Div', [height, down]), nodes.node('Div', [width, across])];
    this.sides = [down, tileHeight, across, tileWidth];
    this.count = nodes.node('Mul', [down, across]);
  }

  /** C×N×T → C×(N·tiles)×T', pixels of a tile together. */
  query(x: string): string {
    const { nodes } = this;
    const picture = nodes.node('Reshape', [x, join(nodes, extents(nodes, x, 0, 2), ...this.sides)]);
    return this.run(nodes.node('Transpose', [picture], { perm: [0, 1, 2, 4, 3, 5] }), x);
  }

  /** C×N×T → C×(N·tiles)×T', as the tokens follow each other. */
  run(x: string, like = x): string {
    const { nodes } = this;
    const rows = nodes.node('Mul', [extents(nodes, like, 1, 2), this.count]);
    return nodes.node('Reshape', [x, join(nodes, extents(nodes, like, 0, 1), rows, [-1])]);
  }

  /** What became of a query, laid out as `like`, which it was. */
  joined(x: string, like: string): string {
    const { nodes } = this;
    const [down, tileHeight, across, tileWidth] = this.sides as [string, string, string, string];
    const whole = extents(nodes, like, 0, 2);
    const separate = nodes.node('Reshape', [x, join(nodes, whole, down, across, tileHeight, tileWidth)]);
    const picture = nodes.node('Transpose', [separate], { perm: [0, 1, 2, 4, 3, 5] });
    return nodes.node('Reshape', [picture, join(nodes, whole, [-1])]);
  }

  /** The mean over each row's tiles: (N·tiles)×T' → N×T'. */
  mean(x: string): string {
    const { nodes } = this;
    const apart = nodes.node('Reshape', [x, join(nodes, [-1], this.count, extents(nodes, x, 1, 2))]);
    return nodes.node('ReduceMean', [apart, nodes.model.ints([1])], { keepdims: 0 });
  }
}

/** Attention within tiles; `attend` writes plain attention. */
export function tiledAttention(
  nodes: NodeWriter,
  { query, key, value }: AttentionOperands,
  tiles: string,
  attend: (operands: AttentionOperands) => string,
): string {
  const cut = new Cut(nodes, tiles);
  const mixed = attend({ query: cut.query(query), key: cut.run(key), value: cut.run(value) });
  return cut.joined(mixed, query);
}

/** T×N */
export function attentionReceived(
  nodes: NodeWriter,
  { query, key }: Omit<AttentionOperands, 'value'>,
  { heads, headDim }: { readonly heads: number; readonly headDim: number },
  tiles: string | undefined,
): string {
  const { model } = nodes;
  const cut = tiles === undefined ? undefined : new Cut(nodes, tiles);
  const split = (x: string, perm: readonly number[]) => {
    const shape = join(nodes, [heads, headDim], extents(nodes, x, 1, 3));
    return nodes.node('Transpose', [nodes.node('Reshape', [x, shape])], { perm });
  };
  const asking = cut === undefined ? query : cut.query(query);
  const asked = cut === undefined ? key : cut.run(key);
  const scores = nodes.node('MatMul', [split(asking, [2, 0, 3, 1]), split(asked, [2, 0, 1, 3])]);
  const scaled = nodes.node('Mul', [scores, model.floats([], [headDim ** -0.5])]);
  const shares = nodes.node('Softmax', [scaled], { axis: -1 });
  const mean = nodes.node('ReduceMean', [shares, model.ints([1])], { keepdims: 0 });
  const received = nodes.node('ReduceSum', [mean, model.ints([1])], { keepdims: 0 });
  const ofRows = cut === undefined ? received : cut.mean(received);
  return nodes.node('Transpose', [ofRows], { perm: [1, 0] });
}

/** T×N, int64 */
export function tokenGroups(nodes: NodeWriter, x: string, order: string, counts: string): string {
  const { model } = nodes;
  const places = nodes.node('Cast', [order], { to: INT64 });
  const numbers = nodes.node('Cast', [counts], { to: INT64 });
  const [merged, destinations] = [entry(nodes, numbers, 0), entry(nodes, numbers, 1)];
  const tokens = extents(nodes, x, 2, 3);
  const sources = nodes.node('Sub', [tokens, destinations]);

  const length = nodes.node('ReduceL2', [x, model.ints([0])], { keepdims: 1 });
  const direction = nodes.node('Div', [x, length]);
  const rows = (from: string, to: string, perm: readonly number[]) => {
    const picked = nodes.node('Gather', [direction, nodes.node('Slice', [places, from, to])], { axis: 2 });
    return nodes.node('Transpose', [picked], { perm });
  };
  const likeness = nodes.node('MatMul', [
    rows(model.ints([0]), sources, [1, 2, 0]),
    rows(sources, tokens, [1, 0, 2]),
  ]);
  const best = nodes.node('ReduceMax', [likeness, model.ints([2])], { keepdims: 0 });
  const nearest = nodes.node('ArgMax', [likeness], { axis: 2, keepdims: 0 });

  // Sources by how like they are to their destination; the first `merged` of them share its group.
  const [, ranking] = model.nodeOf(2, 'TopK', [best, sources]) as [string, string];
  const rank = range(nodes, sources);
  const kept = nodes.node('Sub', [sources, merged]);
  const ownGroup = nodes.node('Sub', [rank, merged]);
  const sharedGroup = nodes.node('Add', [
    nodes.node('GatherElements', [nearest, ranking], { axis: 1 }),
    kept,
  ]);
  const ranked = nodes.node('Where', [nodes.node('Less', [rank, merged]), sharedGroup, ownGroup]);
  const ofSources = nodes.node('ScatterElements', [nearest, ranking, ranked], { axis: 1 });
  const batch = extents(nodes, x, 1, 2);
  const ofDestinations = nodes.node('Expand', [
    nodes.node('Add', [range(nodes, destinations), kept]),
    join(nodes, batch, destinations),
  ]);
  const inOrder = nodes.node('Concat', [ofSources, ofDestinations], { axis: 1 });
  const inverse = nodes.node('ScatterElements', [places, places, range(nodes, tokens)], { axis: 0 });
  return nodes.node('Transpose', [nodes.node('Gather', [inOrder, inverse], { axis: 1 })], { perm: [1, 0] });
}

/** `groups` (T×N) as an index 1×N×T. */
function groupIndex(nodes: NodeWriter, groups: string): string {
  const byRow = nodes.node('Transpose', [groups], { perm: [1, 0] });
  return nodes.node('Unsqueeze', [byRow, nodes.model.ints([0])]);
}

export function mergeTokens(nodes: NodeWriter, x: string, groups: string, counts: string): string {
  const numbers = nodes.node('Cast', [counts], { to: INT64 });
  const left = nodes.node('Sub', [extents(nodes, x, 2, 3), entry(nodes, numbers, 0)]);
  const index = groupIndex(nodes, groups);
  const total = (values: string, indices: string): string => {
    const empty = nodes.node('ConstantOfShape', [join(nodes, extents(nodes, values, 0, 2), left)]);
    return nodes.node('ScatterElements', [empty, indices, values], { axis: 2, reduction: 'add' });
  };
  const ones = nodes.node('Expand', [nodes.model.floats([1, 1, 1], [1]), nodes.node('Shape', [index])]);
  const sums = total(x, nodes.node('Expand', [index, nodes.node('Shape', [x])]));
  return nodes.node('Div', [sums, total(ones, index)]);
}

export function unmergeTokens(nodes: NodeWriter, x: string, groups: string): string {
  const index = groupIndex(nodes, groups);
  const shape = join(nodes, extents(nodes, x, 0, 1), extents(nodes, index, 1, 3));
  return nodes.node('GatherElements', [x, nodes.node('Expand', [index, shape])], { axis: 2 });
}
