/** Attention within tiles, in ONNX's own operators. Tensors are channel-major: C×N×T, and T×N for a number a token. */
import { entry, extents, INT64, join, type NodeWriter } from '../../lowering/onnx/nodes.js';

/** How `tiles` ([down, across, height, width]) cut queries, and what they read, into as many rows more as there are tiles. */
export class TileCut {
  private readonly sides: readonly [down: string, height: string, across: string, width: string];
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
    const [down, tileHeight, across, tileWidth] = this.sides;
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
