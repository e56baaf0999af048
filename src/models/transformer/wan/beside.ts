/** What kinds of Wan see beside the film that is made: VACE's films, and the path of a camera (ComfyUI comfy/ldm/wan/model.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { Layers } from '../../programs/layers.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape } from '../../weights/weight-views.js';
import type { TransformerLayers } from '../layers.js';
import { PATCH, type WanSizes } from './config.js';

/** A convolution over patches that don't overlap, as a layer of their values. */
export function patchLayer(layers: TransformerLayers, patches: Value, path: string): Value {
  const { graph, weights } = layers;
  const kernel = weights.weight(`${path}.weight`);
  const width = kernel.shape[0]!;
  const values = kernel.shape.slice(1).reduce((product, extent) => product * extent, 1);
  return graph.linear(patches, reshape(kernel, [width, values]), weights.weight(`${path}.bias`));
}

/** A film beside the one that is made, and how strongly it counts (N×1×C). */
export interface VaceStream {
  tokens: Value;
  readonly strength: Value;
}

/** Inputs `vace.INDEX`, patches of as many tokens as the film has, and `vace_strength.INDEX`. */
export function vaceStreams(
  layers: TransformerLayers,
  { width, vace }: WanSizes,
  count: number,
  [batch, image]: readonly [SymbolicDim, SymbolicDim],
): VaceStream[] {
  if (vace === undefined) return [];
  const { graph } = layers;
  return Array.from({ length: count }, (_, index) => ({
    tokens: patchLayer(
      layers,
      graph.input(`vace.${index}`, [batch, image, vace.channels * PATCH * PATCH]),
      'vace_patch_embedding',
    ),
    strength: graph.input(`vace_strength.${index}`, [batch, 1, width]),
  }));
}

/** The block beside block `index`, where there is one: every so many have one. */
export function vaceBlockBeside({ blocks, vace }: WanSizes, index: number): number | undefined {
  if (vace === undefined) return undefined;
  const each = Math.floor(blocks / vace.blocks);
  return index % each === 0 ? index / each : undefined;
}

/**
 * Lets each film beside pass its block `index`, and adds to `x` what comes of it. `embedded` is the film as it was before the first block, which
 * the first one adds to what it sees.
 */
export function throughVace(
  layers: TransformerLayers,
  index: number,
  streams: readonly VaceStream[],
  [x, embedded]: readonly [Value, Value],
  block: (path: string, tokens: Value) => Value,
): Value {
  const { graph } = layers;
  const path = `vace_blocks.${index}`;
  return layers.within(path, () =>
    streams.reduce((sum, stream) => {
      const seen =
        index === 0
          ? graph.add(layers.linear(stream.tokens, `${path}.before_proj`), embedded)
          : stream.tokens;
      stream.tokens = block(path, seen);
      return graph.add(sum, graph.gate(layers.linear(stream.tokens, `${path}.after_proj`), stream.strength));
    }, x),
  );
}

/** Pixels a side that are taken together before the camera's layers. */
const UNSHUFFLED = 8;

/** The graph of a camera's path, `camera` (frames × C × H × W), as tokens, frames × (h·w) × width. */
export function cameraGraph(weights: WeightSource, channels: number): Graph {
  const graph = new GraphBuilder('wan camera', { mayRound: true, range: 'wide' });
  const layers = new Layers(graph, weights);
  const [frames, height, width] = ['frames', 'height', 'width'].map((name) => SymbolicDim.symbol(name));
  const camera = graph.input('camera', [frames!, channels, height!, width!]);
  const path = 'control_adapter';
  const seen = layers.conv2d(camera, `${path}.conv`, { stride: PATCH });
  const block = `${path}.residual_blocks.0`;
  const hidden = graph.activation(layers.conv2d(seen, `${block}.conv1`, { padding: 1 }), 'relu');
  const made = graph.add(layers.conv2d(hidden, `${block}.conv2`, { padding: 1 }), seen);
  graph.output('out', graph.spatialToTokens(made));
  return graph.build();
}

/** N×C×F×H×W as (N·F) × 64C × H/8 × W/8: torch's PixelUnshuffle, frame by frame. */
export function unshuffledFrames({ shape, data }: Tensor): Tensor {
  const [rows = 1, channels = 1, frames = 1, height = 1, width = 1] = shape;
  const area = UNSHUFFLED * UNSHUFFLED;
  const [h, w] = [Math.floor(height / UNSHUFFLED), Math.floor(width / UNSHUFFLED)];
  const made = tensor([rows * frames, channels * area, h, w]);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let frame = 0; frame < frames; frame++) {
      for (let channel = 0; channel < channels; channel++) {
        const plane = ((row * channels + channel) * frames + frame) * height * width;
        for (let within = 0; within < area; within++) {
          const [dy, dx] = [Math.floor(within / UNSHUFFLED), within % UNSHUFFLED];
          for (let y = 0; y < h; y++) {
            const line = plane + (y * UNSHUFFLED + dy) * width + dx;
            for (let x = 0; x < w; x++) made.data[at++] = data[line + x * UNSHUFFLED]!;
          }
        }
      }
    }
  }
  return made;
}
