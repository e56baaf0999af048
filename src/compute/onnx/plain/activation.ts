/** Pointwise functions. */
import type { Lowering } from './context.js';

/** CLIP's approximation of gelu, x·σ(1.702·x). */
const QUICK_GELU_ALPHA = 1.702;

export const lowerActivation: Lowering<'activation'> = (operation, context) => {
  const x = context.name(operation.x);
  switch (operation.function) {
    case 'silu':
      return context.nodeIn('com.microsoft', 'QuickGelu', [x], { alpha: { float: 1 } });
    case 'quick_gelu':
      return context.nodeIn('com.microsoft', 'QuickGelu', [x], { alpha: { float: QUICK_GELU_ALPHA } });
    case 'gelu':
      return context.node('Gelu', [x]);
    case 'relu':
      return context.node('Relu', [x]);
    case 'sigmoid':
      return context.node('Sigmoid', [x]);
    case 'tanh':
      return context.node('Tanh', [x]);
  }
};

export const lowerGeglu: Lowering<'geglu'> = (operation, context) => {
  const { model } = context;
  const x = context.name(operation.x);
  const half = (operation.x.shape.at(-1) as number) / 2;
  const lastAxis = model.ints([-1]);
  const value = context.node('Slice', [x, model.ints([0]), model.ints([half]), lastAxis]);
  const gate = context.node('Slice', [x, model.ints([half]), model.ints([2 * half]), lastAxis]);
  return context.node('Mul', [value, context.node('Gelu', [gate])]);
};

export const lowerAdd: Lowering<'add'> = (operation, context) =>
  context.node('Add', [context.name(operation.a), context.name(operation.b)]);

export const lowerScale: Lowering<'scale'> = (operation, context) =>
  context.node('Mul', [context.name(operation.x), context.model.floats([], [operation.factor])]);

export const lowerAddPerChannel: Lowering<'add_per_channel'> = (operation, context) => {
  const perPixel = context.node('Unsqueeze', [context.name(operation.v), context.model.ints([2, 3])]);
  return context.node('Add', [context.name(operation.x), perPixel]);
};

export const lowerAddRows: Lowering<'add_rows'> = (operation, context) => {
  const { model } = context;
  const x = context.name(operation.x);
  const tokens = context.extents(x, 1, 2);
  const rows = context.node('Slice', [
    context.weight(operation.weight),
    model.ints([0]),
    tokens,
    model.ints([0]),
  ]);
  return context.node('Add', [x, rows]);
};
