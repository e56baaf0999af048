import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { SymbolicDim } from '../../compute/dim.js';
import type { Tensor } from '../../compute/tensor.js';
import { Layers } from '../programs/layers.js';
import type { WeightSource } from '../weights/weight-source.js';

/** What a family reads off a file's keys and shapes. */
export interface UpscaleNetwork {
  /** `ESRGAN`, `Compact`, … */
  readonly architecture: string;
  /** Output pixels per input pixel along a side. */
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  /** Sides of a picture are extended to at least this, and to a multiple of that. */
  readonly minimumSide: number;
  readonly multipleOf: number;
  /** A further enlargement, by what the network's windows need; beside `multipleOf`, and cut off again in the same way. */
  readonly windowMultiple?: number;
  /** How pixels beyond the edge are made for `windowMultiple`. */
  readonly windowPadding?: 'reflect' | 'mirror' | 'zero';
  /** From `x`, 1×C×H×W in [0, 1], to `y`, 1×C'×(H·scale)×(W·scale). */
  graph: () => Graph;
  /** Keys that the graph doesn't read stay unheeded, as spandrel has it for this layout; in all others they are errors. */
  readonly ignoresOtherKeys?: boolean;
  /** Inputs beside `x`, which is padded, made of it and of its extents before it was padded for windows. */
  readonly extraInputs?: (x: Tensor, unpadded: readonly number[]) => Readonly<Record<string, Tensor>>;
}

/** A family of upscale models. */
export interface UpscaleFamily {
  readonly name: string;
  /** Whether a file is of this family, by its keys. */
  readonly recognises: (weights: WeightSource) => boolean;
  /** Throws `ModelError` when keys are missing, `GraphError` (from `graph`) when shapes don't fit. */
  readonly read: (weights: WeightSource) => UpscaleNetwork;
}

export type PictureLayers = Layers;

/** A graph of layers from `x` to `y`. */
export function pictureGraph(
  name: string,
  channels: number,
  weights: WeightSource,
  body: (layers: PictureLayers, x: Value) => Value,
): Graph {
  const graph = new GraphBuilder(name);
  const [height, width] = [SymbolicDim.symbol('height'), SymbolicDim.symbol('width')];
  const x = graph.input('x', [1, channels, height, width]);
  graph.output('y', body(new Layers(graph, weights), x));
  return graph.build();
}

/** How many keys `PREFIX.0`, `PREFIX.1`, … there are: one more than the highest (spandrel util, get_seq_len). */
export function sequenceLength(weights: WeightSource, prefix: string): number {
  let length = 0;
  for (const key of weights.keys()) {
    if (!key.startsWith(`${prefix}.`)) continue;
    const index = Number(/^\d+/.exec(key.slice(prefix.length + 1))?.[0] ?? -1);
    length = Math.max(length, index + 1);
  }
  return length;
}

export function hasAll(weights: WeightSource, ...keys: readonly string[]): boolean {
  return keys.every((key) => weights.has(key));
}

/**
 * Scale and output channels behind a pixel shuffle of `channels`, which don't follow from their product: as many channels as
 * go in, else 3, 4 or 1 (spandrel util, get_scale_and_output_channels).
 */
export function shuffledScale(
  channels: number,
  inputChannels: number,
): { readonly scale: number; readonly outputChannels: number } | undefined {
  for (const outputChannels of [inputChannels, 3, 4, 1]) {
    const scale = Math.sqrt(channels / outputChannels);
    if (Number.isInteger(scale)) return { scale, outputChannels };
  }
  return undefined;
}
