/** Operations on pictures of features that both lowerings write with ONNX's own operators; rows and columns come last. */
import type { NodeWriter } from './token-parts.js';

const FLOAT = 1;

/** `channelAxis` is where the channels lie. */
export function scaleChannels(
  nodes: NodeWriter,
  x: string,
  channelAxis: number,
  all: number,
  operation: { readonly channels: number; readonly factor: number; readonly map: string | undefined },
): string {
  const { model } = nodes;
  const { channels, factor, map } = operation;
  const part = (from: number, to: number): string =>
    nodes.node('Slice', [x, model.ints([from]), model.ints([to]), model.ints([channelAxis])]);
  const gain =
    map === undefined
      ? model.floats([], [factor])
      : nodes.node('Add', [nodes.node('Mul', [map, model.floats([], [factor - 1])]), model.floats([], [1])]);
  const scaled = nodes.node('Mul', [part(0, channels), gain]);
  return channels === all
    ? scaled
    : nodes.node('Concat', [scaled, part(channels, all)], { axis: channelAxis });
}

export function meanMap(nodes: NodeWriter, x: string, channelAxis: number): string {
  const { model } = nodes;
  const mean = nodes.node('ReduceMean', [x, model.ints([channelAxis])], { keepdims: 1 });
  const within = model.ints([channelAxis, 2, 3]);
  const low = nodes.node('ReduceMin', [mean, within], { keepdims: 1 });
  const high = nodes.node('ReduceMax', [mean, within], { keepdims: 1 });
  return nodes.node('Div', [nodes.node('Sub', [mean, low]), nodes.node('Sub', [high, low])]);
}

/**
 * x + (factor − 1)·Re(A x Bᵀ), where A and B project columns and rows onto the modes 0 and −1: their entries are
 * (1 + exp(−2πi(j − k)/n))/n.
 */
export function scaleLowFrequencies(nodes: NodeWriter, x: string, factor: number): string {
  const rows = projection(nodes, x, 2);
  const columns = projection(nodes, x, 3);
  const through = (left: string, right: string): string =>
    nodes.node('MatMul', [nodes.node('MatMul', [left, x]), right]);
  // The columns' matrices stand on the right: the cosines are symmetric, the sines change sign, and so does i².
  const modes = nodes.node('Add', [
    through(rows.real, columns.real),
    through(rows.imaginary, columns.imaginary),
  ]);
  const change = nodes.node('Mul', [modes, nodes.model.floats([], [factor - 1])]);
  return nodes.node('Add', [x, change]);
}

/** The projection onto the modes 0 and −1 along an axis, n×n. A picture one pixel wide has the mode 0 alone. */
function projection(
  nodes: NodeWriter,
  x: string,
  axis: number,
): { readonly real: string; readonly imaginary: string } {
  const { model } = nodes;
  const extent = nodes.node('Shape', [x], { start: axis, end: axis + 1 });
  const scalar = (name: string): string => nodes.node('Squeeze', [name]);
  const places = nodes.node(
    'Cast',
    [nodes.node('Range', [scalar(model.ints([0])), scalar(extent), scalar(model.ints([1]))])],
    { to: FLOAT },
  );
  const count = nodes.node('Cast', [extent], { to: FLOAT });
  const apart = nodes.node('Sub', [
    nodes.node('Unsqueeze', [places, model.ints([1])]),
    nodes.node('Unsqueeze', [places, model.ints([0])]),
  ]);
  const angle = nodes.node('Div', [nodes.node('Mul', [apart, model.floats([], [2 * Math.PI])]), count]);
  const others = nodes.node('Sub', [count, model.floats([], [1])]);
  const second = nodes.node('Min', [others, model.floats([], [1])]);
  const weighted = (operator: 'Cos' | 'Sin'): string =>
    nodes.node('Mul', [nodes.node(operator, [angle]), second]);
  const real = nodes.node('Div', [nodes.node('Add', [weighted('Cos'), model.floats([], [1])]), count]);
  return { real, imaginary: nodes.node('Div', [weighted('Sin'), count]) };
}
