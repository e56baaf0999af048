/** Operations that move values without computing. Extents are taken from the values at run time, so any size fits. */
import type { Lowering } from './context.js';

export const lowerConcat: Lowering<'concat'> = (operation, context) =>
  context.node(
    'Concat',
    operation.values.map((value) => context.name(value)),
    { axis: operation.axis },
  );

/** Floor of the scaled coordinate, as torch.nn.functional.interpolate(mode='nearest'). */
const NEAREST = {
  mode: 'nearest',
  coordinate_transformation_mode: 'asymmetric',
  nearest_mode: 'floor',
} as const;

export const lowerUpsampleNearest: Lowering<'upsample_nearest'> = (operation, context) => {
  const x = context.name(operation.x);
  const { to } = operation;
  if (typeof to === 'number') {
    return context.node('Resize', [x, '', context.model.floats([4], [1, 1, to, to])], NEAREST);
  }
  const sizes = context.joinExtents(context.extents(x, 0, 2), context.extents(context.name(to), 2, 4));
  return context.node('Resize', [x, '', '', sizes], NEAREST);
};

export const lowerSpatialToTokens: Lowering<'spatial_to_tokens'> = (operation, context) => {
  const rows = context.node('Reshape', [context.name(operation.x), context.model.ints([0, 0, -1])]);
  return context.node('Transpose', [rows], { perm: [0, 2, 1] });
};

export const lowerTokensToSpatial: Lowering<'tokens_to_spatial'> = (operation, context) => {
  const channelsFirst = context.node('Transpose', [context.name(operation.x)], { perm: [0, 2, 1] });
  const size = context.joinExtents([0, 0], context.extents(context.name(operation.like), 2, 4));
  return context.node('Reshape', [channelsFirst, size]);
};

export const lowerSelectToken: Lowering<'select_token'> = (operation, context) => {
  const index = context.node('Cast', [context.name(operation.index)], { to: 7 });
  const indices = context.node('Unsqueeze', [index, context.model.ints([1])]);
  return context.node('GatherND', [context.name(operation.x), indices], { batch_dims: 1 });
};
