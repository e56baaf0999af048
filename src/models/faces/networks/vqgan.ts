/** Parts of VQGAN, which CodeFormer and RestoreFormer are made of (basicsr/archs/vqgan_arch.py). */
import type { Padding, Value } from '../../../compute/graph.js';
import { Layers } from '../../programs/layers.js';

const EPSILON = 1e-6;

/** Below and to the right alone, as the models were trained. */
export const DOWNSAMPLE_PADDING: Padding = [0, 0, 1, 1];

export function normalised(layers: Layers, x: Value, path: string): Value {
  return layers.groupNorm(x, path, EPSILON);
}

/** `shortcut` is the name of the convolution that widens what is passed by. */
export function residualBlock(layers: Layers, x: Value, path: string, shortcut: string): Value {
  const { graph } = layers;
  const step = (value: Value, index: number) =>
    layers.conv2d(
      graph.activation(normalised(layers, value, `${path}.norm${index}`), 'silu'),
      `${path}.conv${index}`,
      { padding: 1 },
    );
  const hidden = step(step(x, 1), 2);
  const skip = x.shape[1] === hidden.shape[1] ? x : layers.conv2d(x, `${path}.${shortcut}`);
  return graph.within(path, () => graph.add(skip, hidden));
}

/** Adds to `x` what `asking`, of its shape, reads in the normalised `hidden`. */
export function attentionBlock(
  layers: Layers,
  x: Value,
  operands: { readonly asking: Value; readonly hidden: Value },
  path: string,
  heads: number,
): Value {
  const { graph } = layers;
  const tokens = (value: Value, part: string) =>
    graph.spatialToTokens(layers.conv2d(value, `${path}.${part}`));
  const { asking, hidden } = operands;
  const mixed = graph.within(path, () =>
    graph.attention(tokens(asking, 'q'), tokens(hidden, 'k'), tokens(hidden, 'v'), heads),
  );
  return graph.add(x, layers.conv2d(graph.tokensToSpatial(mixed, x), `${path}.proj_out`));
}
