/** How each operation becomes instructions. */
import type { GraphNode, Operation, Value } from '../graph.js';
import type { Fusion } from '../onnx/channel-major/fusion.js';
import type { Weight } from '../weight.js';
import type { Lowering } from './lower.js';
import { columnsOf, VECTOR, type Epilogue, type View, type Window } from './program.js';
import { alongChannels, channels } from './structure.js';
import { UnsupportedOperation } from './unsupported.js';

type OperationOf<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** Emits what `fusion` computes, into the place of its last node's result. */
export function lowerNode({ operation, output }: GraphNode, fusion: Fusion, lowering: Lowering): void {
  const result = fusion.nodes.at(-1)!.output;
  switch (operation.kind) {
    case 'conv2d':
      convolution(operation, output, fusion, lowering);
      return;
    case 'linear':
      linear(operation, output, fusion, lowering);
      return;
    case 'group_norm':
      groupNorm(operation, result, fusion, lowering);
      return;
    case 'layer_norm': {
      const [weight, bias] = normWeights(operation, lowering);
      const x = lowering.view(operation.x);
      const { epsilon } = operation;
      lowering.emit({ kind: 'layer_norm', x, out: lowering.place(result), weight, bias, epsilon });
      return;
    }
    case 'attention': {
      const [query, key, value] = [operation.query, operation.key, operation.value].map((operand) =>
        lowering.view(operand),
      ) as [View, View, View];
      const { heads, causal } = operation;
      const [batch] = lowering.extents(operation.query) as [number];
      const out = lowering.place(result);
      lowering.emit({ kind: 'attention', query, key, value, out, batch, heads, causal });
      return;
    }
    case 'activation': {
      const x = lowering.view(operation.x);
      lowering.emit({ kind: 'activate', x, out: lowering.place(result), function: operation.function });
      return;
    }
    case 'geglu':
      lowering.emit({ kind: 'geglu', x: lowering.view(operation.x), out: lowering.place(result) });
      return;
    case 'add': {
      const [a, b] = [lowering.view(operation.a), lowering.view(operation.b)];
      lowering.emit({ kind: 'add', a, b, out: lowering.place(result) });
      return;
    }
    case 'scale': {
      const x = lowering.view(operation.x);
      lowering.emit({ kind: 'scale', x, out: lowering.place(result), factor: operation.factor });
      return;
    }
    case 'scale_channels': {
      const { channels, factor, map } = operation;
      const [x, shares] = [lowering.view(operation.x), map && lowering.view(map)];
      lowering.emit({
        kind: 'scale_channels',
        x,
        map: shares,
        out: lowering.place(result),
        channels,
        factor,
      });
      return;
    }
    case 'mean_map':
      lowering.emit({ kind: 'mean_map', factor: 1, ...picture(operation, result, lowering) });
      return;
    case 'scale_low_frequencies': {
      const { factor } = operation;
      lowering.emit({ kind: 'low_frequencies', factor, ...picture(operation, result, lowering) });
      return;
    }
    case 'leaky_relu': {
      const x = lowering.view(operation.x);
      lowering.emit({ kind: 'leaky_relu', x, out: lowering.place(result), slope: operation.slope });
      return;
    }
    case 'prelu': {
      const weight = lowering.weights.vector([operation.slope])!;
      const x = lowering.view(operation.x);
      lowering.emit({ kind: 'prelu', x, out: lowering.place(result), weight });
      return;
    }
    case 'pixel_shuffle':
    case 'pixel_unshuffle':
      lowering.emit({ kind: operation.kind, ...sizes(operation, result, lowering) });
      return;
    case 'add_per_channel': {
      const [x, v] = [lowering.view(operation.x), lowering.view(operation.v)];
      const rowsPerSum = x.rows / v.rows;
      lowering.emit({ kind: 'add_per_channel', x, v, out: lowering.place(result), rowsPerSum });
      return;
    }
    case 'add_rows': {
      const x = lowering.view(operation.x);
      const weight = lowering.weights.matrix([operation.weight], 'rows');
      const [, period] = lowering.extents(operation.x) as [number, number];
      lowering.emit({ kind: 'add_rows', x, out: lowering.place(result), weight, period });
      return;
    }
    case 'concat':
      concatenation(operation, result, lowering);
      return;
    case 'upsample_nearest':
      resize(operation, result, lowering);
      return;
    case 'select_token': {
      const [x, index] = [lowering.view(operation.x), lowering.view(operation.index)];
      const [, period] = lowering.extents(operation.x) as [number, number];
      lowering.emit({ kind: 'select_row', x, index, out: lowering.place(result), period });
      return;
    }
    default:
      throw new UnsupportedOperation(`the CUDA engine has no ${operation.kind} yet`);
  }
}

/** Operands of the epilogue, and where its result goes. */
function epilogue(
  fusion: Fusion,
  bias: Weight | undefined,
  rows: number,
  lowering: Lowering,
): Epilogue & { readonly out: View; readonly scratch: View | undefined } {
  const { sums, activation, residual } = fusion;
  const pairs = activation === 'geglu';
  const added = sums && lowering.view(sums);
  const out = lowering.place(fusion.nodes.at(-1)!.output);
  if (pairs && out.columns % VECTOR !== 0) {
    throw new UnsupportedOperation(`the CUDA engine has geglu for multiples of ${VECTOR} columns`);
  }
  return {
    bias: bias && lowering.weights.vector([bias], pairs ? 'pairs' : 'vector'),
    sums: added,
    rowsPerSum: added === undefined ? rows : rows / added.rows,
    activation,
    residual: residual && lowering.view(residual),
    out,
    scratch: pairs ? lowering.allocate('half', rows, 2 * out.columns) : undefined,
  };
}

function convolution(
  operation: OperationOf<'conv2d'>,
  output: Value,
  fusion: Fusion,
  lowering: Lowering,
): void {
  const { weight, bias, stride, padding } = operation;
  const [batch, , height, width] = lowering.extents(operation.x) as [number, number, number, number];
  const [, , outHeight, outWidth] = lowering.extents(output) as [number, number, number, number];
  const [, , kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [top, left] = padding;
  const small = smallSource(operation.x, lowering);
  const x = lowering.view(small ?? operation.x);
  const [, , storedHeight, storedWidth] = lowering.extents(small ?? operation.x) as [
    number,
    number,
    number,
    number,
  ];
  const pointwise =
    kernelHeight * kernelWidth === 1 &&
    stride === 1 &&
    outHeight === storedHeight &&
    outWidth === storedWidth;
  const window: Window | undefined = pointwise
    ? undefined
    : {
        ...{ batch, storedHeight, storedWidth, height, width, outHeight, outWidth },
        ...{ kernelHeight, kernelWidth, stride, top, left },
      };
  lowering.emit({
    ...{ kind: 'product', x, window },
    weight: lowering.weights.matrix([weight], 'taps'),
    ...epilogue(fusion, bias, lowering.rows(output), lowering),
  });
}

function linear(operation: OperationOf<'linear'>, output: Value, fusion: Fusion, lowering: Lowering): void {
  const siblings = lowering.structure.siblings.get(output.id);
  const x = lowering.view(operation.x);
  const rows = lowering.rows(output);
  if (siblings === undefined) {
    const layout = fusion.activation === 'geglu' ? 'pairs' : 'rows';
    lowering.emit({
      ...{ kind: 'product', x, window: undefined },
      weight: lowering.weights.matrix([operation.weight], layout),
      ...epilogue(fusion, operation.bias, rows, lowering),
    });
    return;
  }
  if (siblings[0]!.output !== output) return;
  const layers = siblings.map((node) => node.operation as OperationOf<'linear'>);
  const widths = layers.map(({ weight }) => weight.shape[0]!);
  const out = lowering.allocate(
    'half',
    rows,
    widths.reduce((sum, width) => sum + width, 0),
  );
  let column = 0;
  siblings.forEach((node, index) => {
    lowering.bind(node.output, columnsOf(out, column, widths[index]!));
    column += widths[index]!;
  });
  lowering.emit({
    ...{ kind: 'product', x, window: undefined, out, scratch: undefined },
    weight: lowering.weights.matrix(
      layers.map(({ weight }) => weight),
      'rows',
    ),
    bias: lowering.weights.vector(layers.map(({ bias, weight }) => bias ?? weight.shape[0]!)),
    ...{ sums: undefined, rowsPerSum: rows, activation: undefined, residual: undefined },
  });
}

/** Groups' sums are taken in so many runs of pixels that all multiprocessors have some, and none is short. */
const rowsPerPart = 64;
const mostParts = 128;

function groupNorm(
  operation: OperationOf<'group_norm'>,
  result: Value,
  fusion: Fusion,
  lowering: Lowering,
): void {
  const { groups, epsilon } = operation;
  if (operation.x.shape.length !== 4) {
    throw new UnsupportedOperation('the CUDA engine has group norm for images only');
  }
  const [weight, bias] = normWeights(operation, lowering);
  const x = lowering.view(operation.x);
  const [batch, , height, width] = lowering.extents(operation.x) as [number, number, number, number];
  const parts = Math.min(mostParts, Math.max(1, Math.floor((height * width) / rowsPerPart)));
  lowering.emit({
    ...{ kind: 'group_norm', x, weight, bias, batch, groups, epsilon, parts },
    silu: fusion.activation === 'silu',
    out: lowering.place(result),
    scratch: lowering.allocate('float', batch * parts, 2 * groups),
  });
}

function normWeights(
  { weight, bias }: OperationOf<'group_norm'> | OperationOf<'layer_norm'>,
  lowering: Lowering,
): readonly [number, number] {
  return [lowering.weights.vector([weight])!, lowering.weights.vector([bias])!];
}

/** Operands that were not computed in their place are copied there; along the first axis, rows follow rows. */
function concatenation(operation: OperationOf<'concat'>, result: Value, lowering: Lowering): void {
  const { values, axis } = operation;
  const whole = lowering.place(result);
  if (!alongChannels(operation) && axis !== 0) {
    throw new UnsupportedOperation(`the CUDA engine has no concat along axis ${axis} yet`);
  }
  let place = 0;
  for (const value of values) {
    const x = lowering.view(value);
    if (alongChannels(operation) && place % VECTOR !== 0) {
      throw new UnsupportedOperation(`the CUDA engine joins multiples of ${VECTOR} channels`);
    }
    const out: View =
      axis === 0 && !alongChannels(operation)
        ? { ...whole, rows: x.rows, offset: whole.offset + place * whole.stride }
        : columnsOf(whole, place, channels(value));
    if (x.buffer !== out.buffer || x.offset !== out.offset) lowering.emit({ kind: 'copy', x, out });
    place += axis === 0 && !alongChannels(operation) ? x.rows : x.columns;
  }
}

/** Convolutions behind it read the enlarged image out of the small one. */
function resize(operation: OperationOf<'upsample_nearest'>, result: Value, lowering: Lowering): void {
  if (smallSource(result, lowering) !== undefined) return;
  lowering.emit({ kind: 'resize', ...sizes(operation, result, lowering) });
}

/** What is looked at as a whole picture, and its size. */
function picture(operation: { readonly x: Value }, result: Value, lowering: Lowering) {
  const { x, out, batch, height, width } = sizes(operation, result, lowering);
  return { x, out, batch, height, width };
}

/** What becomes an image of another size, and both sizes. */
function sizes(operation: { readonly x: Value }, result: Value, lowering: Lowering) {
  const [batch, , height, width] = lowering.extents(operation.x) as [number, number, number, number];
  const [, , outHeight, outWidth] = lowering.extents(result) as [number, number, number, number];
  const x = lowering.view(operation.x);
  return { x, out: lowering.place(result), batch, height, width, outHeight, outWidth };
}

/** The image that `enlarged` is so many times as large as, a power of two, when only convolutions read it. */
function smallSource(enlarged: Value, lowering: Lowering): Value | undefined {
  const small = lowering.structure.enlarged.get(enlarged.id);
  if (small === undefined) return undefined;
  const [, , height, width] = lowering.extents(small) as [number, number, number, number];
  const [, , outHeight, outWidth] = lowering.extents(enlarged) as [number, number, number, number];
  return isPowerOfTwo(outHeight / height) && isPowerOfTwo(outWidth / width) ? small : undefined;
}

function isPowerOfTwo(factor: number): boolean {
  return Number.isInteger(Math.log2(factor));
}
