/** What operations share that cut pictures into groups of tokens, and that put them together again. */
import { divideDim, formatShape, multiplyDims, type Dim, type Shape } from '../../dim.js';
import type { ChannelMajorContext } from '../../lowering/onnx/channel-major-context.js';
import type { NodeWriter } from '../../lowering/onnx/nodes.js';
import type { PlainContext } from '../../lowering/onnx/plain-context.js';
import { shapeOf, type NodeBuilder } from '../../node-builder.js';
import type { Value } from '../../value.js';
import type { OperationCost, OnnxLowering } from '../definition.js';

interface Cut {
  readonly x: Value;
}

interface Join extends Cut {
  /** The picture whose N, H and W the result has. */
  readonly like: Value;
}

interface Lowerings<Op> {
  readonly plain: OnnxLowering<Op, PlainContext>;
  readonly channelMajor: OnnxLowering<Op, ChannelMajorContext>;
}

/** A picture's batch and channels, and how many cells of `height`×`width` it has; extents that these don't divide fail when it runs. */
export function cellsOf(
  graph: NodeBuilder<never>,
  x: Value,
  height: number,
  width: number,
  kind: string,
): { readonly batch: Dim; readonly channels: Dim; readonly cells: Dim } {
  const [batch, channels, rows, columns] = shapeOf(graph, x, 4, kind);
  return { batch, channels, cells: multiplyDims(divideDim(rows, height), divideDim(columns, width)) };
}

/** The picture that groups of tokens make, with N, H and W of `like`. Checks that a group has `tokens`, where that is known. */
export function joinedShape(
  graph: NodeBuilder<never>,
  { x, like }: Join,
  kind: string,
  tokens?: number,
): Shape {
  const [, given, channels] = shapeOf(graph, x, 3, kind);
  const [batch, , rows, columns] = shapeOf(graph, like, 4, kind);
  graph.check(
    tokens === undefined || given === tokens,
    `${kind} can't make groups of ${tokens} tokens of ${formatShape(x.shape)}`,
  );
  return [batch, channels, rows, columns];
}

/** `lower`, written for a channel-major picture, C×N×H×W, in both orders of axes. */
export function cutInEitherOrder<Op extends Cut>(
  lower: (nodes: NodeWriter, operation: Op, x: string) => string,
): Lowerings<Op> {
  return {
    plain: (operation, context) =>
      context.channelsLast(lower(context, operation, context.swappedPictures(context.name(operation.x)))),
    channelMajor: (operation, context) => lower(context, operation, context.name(operation.x)),
  };
}

/** `lower`, written for channel-major operands, C×N×T and C×N×H×W, in both orders of axes. */
export function joinInEitherOrder<Op extends Join>(
  lower: (nodes: NodeWriter, operation: Op, x: string, like: string) => string,
): Lowerings<Op> {
  return {
    plain(operation, context) {
      const like = context.swappedPictures(context.name(operation.like));
      return context.swappedPictures(lower(context, operation, context.channelsFirst(operation.x), like));
    },
    channelMajor: (operation, context) =>
      lower(context, operation, context.name(operation.x), context.name(operation.like)),
  };
}

/** Of `like`, only the size is looked at. */
export function joinCost(
  { x }: Join,
  { count }: { readonly count: (value: Value) => number },
): OperationCost {
  return { flops: 0, reads: count(x) };
}
