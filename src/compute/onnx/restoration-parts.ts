/** Operations of face networks that both lowerings write with ONNX's own operators; rows and columns come last. */
import type { Padding } from '../operation.js';
import type { RestorationOperation } from '../restoration-operation.js';
import type { NodeWriter } from './token-parts.js';

export function maxPool(
  nodes: NodeWriter,
  x: string,
  operation: Extract<RestorationOperation, { kind: 'max_pool' }>,
): string {
  const { size, stride, padding, partial } = operation;
  return nodes.node('MaxPool', [x], {
    ceil_mode: partial ? 1 : 0,
    kernel_shape: [size, size],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  });
}

export function resizeBilinear(nodes: NodeWriter, x: string, factor: number): string {
  return nodes.node('Resize', [x, '', nodes.model.floats([4], [1, 1, factor, factor])], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel',
  });
}

export function padReflect(nodes: NodeWriter, x: string, [top, left, bottom, right]: Padding): string {
  return nodes.node('Pad', [x, nodes.model.ints([0, 0, top, left, 0, 0, bottom, right])], {
    mode: 'reflect',
  });
}

export function sliceChannels(
  nodes: NodeWriter,
  x: string,
  channelAxis: number,
  from: number,
  to: number,
): string {
  const { model } = nodes;
  return nodes.node('Slice', [x, model.ints([from]), model.ints([to]), model.ints([channelAxis])]);
}

/** The channels come first or second. */
export function shuffleChannels(
  nodes: NodeWriter,
  x: string,
  channelAxis: 0 | 1,
  channels: number,
  groups: number,
): string {
  const { model } = nodes;
  const parts = [groups, channels / groups];
  // 0 keeps an extent, but only of the same place: the batch stands before the channels or is told by the rest.
  const batchFirst = channelAxis === 1;
  const cut = nodes.node('Reshape', [
    x,
    batchFirst ? model.ints([0, ...parts, -1]) : model.ints([...parts, -1]),
  ]);
  const turned = nodes.node('Transpose', [cut], { perm: batchFirst ? [0, 2, 1, 3] : [1, 0, 2] });
  return nodes.node('Reshape', [turned, nodes.node('Shape', [x])]);
}
