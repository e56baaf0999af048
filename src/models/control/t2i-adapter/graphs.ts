/**
 * T2I-Adapters: a picture's features at each of a UNet's sizes, the same at every noise level (Mou et al., "T2I-Adapter", 2023; ComfyUI
 * comfy/t2i_adapter/adapter.py).
 */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { countOf } from '../../weights/count-of.js';
import { Layers } from '../../programs/layers.js';
import { ModelError } from '../../model-error.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { computed } from '../../weights/weight-values.js';

/** How an adapter is built. */
export interface AdapterLayout {
  /** Full ones have two blocks a size, light ones (and those for colours) a bottleneck of several. */
  readonly kind: 'full' | 'light';
  /** Pixels a side that become one place of its first features. */
  readonly unshuffle: 8 | 16;
  /** Of the pictures that it sees. */
  readonly channels: number;
  /** Where in the UNet each of its features goes. */
  readonly places: readonly string[];
  /** Which of its sizes begin by halving. */
  readonly halves: readonly number[];
}

const SD: Pick<AdapterLayout, 'unshuffle' | 'places' | 'halves'> = {
  unshuffle: 8,
  places: ['block.2', 'block.5', 'block.8', 'block.11'],
  halves: [1, 2, 3],
};
/** SDXL has a size less, and so do its adapters, which begin at its second. */
const SDXL: typeof SD = {
  unshuffle: 16,
  places: ['block.3', 'block.5', 'block.8', 'middle'],
  halves: [2],
};
const BLOCKS_A_SIZE = 2;

/** Undefined for a file that is none. Throws `ModelError` for one whose shapes are no adapter's. */
export function adapterLayout(weights: WeightSource): AdapterLayout | undefined {
  const isLight = weights.has('body.0.in_conv.weight');
  const first = isLight ? 'body.0.in_conv.weight' : 'conv_in.weight';
  if (!weights.has(first) || !(isLight || weights.has('body.0.block2.weight'))) return undefined;
  const inputs = weights.weight(first).shape[1] ?? 0;
  // Of one channel or three, in squares of 16 pixels a side.
  const family = !isLight && (inputs === 256 || inputs === 768) ? SDXL : SD;
  const channels = inputs / family.unshuffle ** 2;
  if (channels !== 1 && channels !== 3) {
    throw new ModelError(
      `${weights.path}: a T2I-Adapter sees 1 or 3 channels of ${family.unshuffle}×${family.unshuffle} pixels, this one's first layer takes ${inputs}`,
    );
  }
  return { kind: isLight ? 'light' : 'full', channels, ...family };
}

/**
 * Features of a hint N×C×H×W that is `rows` × `columns` squares. Input `hint`; outputs by their places. Odd sizes are padded where they
 * are halved, which makes graphs of their own.
 */
export function buildAdapterGraph(
  weights: WeightSource,
  layout: AdapterLayout,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Graph {
  const graph = new GraphBuilder('t2i adapter');
  const layers = new Layers(graph, weights);
  const n = SymbolicDim.symbol('N');
  const sides = [rows * layout.unshuffle, columns * layout.unshuffle];
  const hint = graph.input('hint', [n, layout.channels, ...sides]);
  let features = graph.pixelUnshuffle(hint, layout.unshuffle);
  if (layout.kind === 'full') features = layers.conv2d(features, 'conv_in', { padding: 1 });
  layout.places.forEach((place, size) => {
    const build = layout.kind === 'full' ? fullSize : lightSize;
    features = build({ layers, weights }, features, size, layout.halves.includes(size));
    graph.output(place, features);
  });
  return graph.build();
}

interface Written {
  readonly layers: Layers;
  readonly weights: WeightSource;
}

function fullSize({ layers, weights }: Written, x: Value, size: number, halves: boolean): Value {
  let hidden = x;
  for (let index = 0; index < BLOCKS_A_SIZE; index++) {
    const path = `body.${size * BLOCKS_A_SIZE + index}`;
    if (halves && index === 0) {
      hidden = weights.has(`${path}.down_opt.op.weight`)
        ? layers.conv2d(hidden, `${path}.down_opt.op`, { stride: 2, padding: 1 })
        : halved(layers, hidden);
    }
    if (weights.has(`${path}.in_conv.weight`)) hidden = sameSize(layers, weights, hidden, `${path}.in_conv`);
    hidden = residual(layers, weights, hidden, path);
  }
  return hidden;
}

function lightSize({ layers, weights }: Written, x: Value, size: number, halves: boolean): Value {
  const path = `body.${size}`;
  let hidden = sameSize(layers, weights, halves ? halved(layers, x) : x, `${path}.in_conv`);
  const count = countOf(weights, `${path}.body`);
  for (let index = 0; index < count; index++) {
    hidden = residual(layers, weights, hidden, `${path}.body.${index}`);
  }
  return sameSize(layers, weights, hidden, `${path}.out_conv`);
}

function residual(layers: Layers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = layers;
  const hidden = graph.activation(sameSize(layers, weights, x, `${path}.block1`), 'relu');
  return graph.add(sameSize(layers, weights, hidden, `${path}.block2`), x);
}

/** A convolution of either of the kernels that adapters have, 1 and 3. */
function sameSize(layers: Layers, weights: WeightSource, x: Value, path: string): Value {
  const kernel = weights.weight(`${path}.weight`).shape[2] ?? 1;
  return layers.conv2d(x, path, { padding: Math.floor(kernel / 2) });
}

/** The mean of each square of four; an odd side has zeros around it, which count. */
function halved({ graph }: Layers, x: Value): Value {
  const [, channels, height, width] = x.shape.map(Number) as [number, number, number, number];
  const share = computed('a quarter', [channels, 1, 2, 2], () => new Float32Array(channels * 4).fill(0.25));
  const [down, across] = [height % 2, width % 2];
  return graph.groupedConv2d(x, share, undefined, {
    stride: 2,
    padding: [down, across, down, across],
    groups: channels,
  });
}
