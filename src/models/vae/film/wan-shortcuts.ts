/** Ways past Wan 2.2's blocks, which have no weights of their own (ComfyUI comfy/ldm/wan/vae2_2.py, AvgDown3D and DupUp3D). */
import type { Value } from '../../../compute/graph.js';
import type { Weight } from '../../../compute/weight.js';
import type { CausalLayers } from './causal-layers.js';

/** How much smaller (or larger) time and picture become. */
export interface Factors {
  readonly time: number;
  readonly side: number;
}

function constant(name: string, shape: readonly number[], at: (index: number) => number): Weight {
  return {
    name,
    shape,
    read(into) {
      for (let index = 0; index < into.length; index++) into[index] = at(index);
    },
  };
}

/**
 * Pixels of `time` frames and `side`×`side` places, channel by channel one behind the other, averaged in as many runs as there are
 * channels wanted. Of a group that is short of frames, the first ones are empty.
 */
export function mergedPixels(
  net: CausalLayers,
  frames: readonly Value[],
  outputs: number,
  { time, side }: Factors,
): Value[] {
  const inputs = Number(frames[0]!.shape[1]);
  const perChannel = time * side * side;
  const run = (inputs * perChannel) / outputs;
  const weightOf = (given: number): Weight =>
    // Output × (given frames · channel) × row × column.
    constant('average', [outputs, given * inputs, side, side], (index) => {
      const place = index % (side * side);
      const channel = Math.floor(index / side ** 2) % inputs;
      const frame = Math.floor(index / (side ** 2 * inputs)) % given;
      const output = Math.floor(index / (side ** 2 * inputs * given));
      const flat = channel * perChannel + (time - given + frame) * side * side + place;
      return Math.floor(flat / run) === output ? 1 / run : 0;
    });
  const weights = new Map<number, Weight>();
  const merged: Value[] = [];
  const short = frames.length % time;
  for (let start = 0, end = short === 0 ? time : short; start < frames.length; start = end, end += time) {
    const group = frames.slice(start, end);
    const weight = weights.get(group.length) ?? weightOf(group.length);
    weights.set(group.length, weight);
    const x = group.length === 1 ? group[0]! : net.graph.concat(group, 1);
    merged.push(net.graph.conv2d(x, weight, undefined, { stride: side }));
  }
  return merged;
}

/** Each channel repeated over frames and places, as many as there are; of the film's first frame the last alone is kept. */
export function spreadPixels(
  net: CausalLayers,
  frames: readonly Value[],
  outputs: number,
  { time, side }: Factors,
): Value[] {
  const inputs = Number(frames[0]!.shape[1]);
  const repeats = (outputs * time * side * side) / inputs;
  const weights = Array.from({ length: time }, (_, frame) =>
    constant('repeat', [outputs * side * side, inputs, 1, 1], (index) => {
      const input = index % inputs;
      const row = Math.floor(index / inputs);
      const [output, place] = [Math.floor(row / side ** 2), row % side ** 2];
      const flat = (output * time + frame) * side * side + place;
      return Math.floor(flat / repeats) === input ? 1 : 0;
    }),
  );
  const kept = net.place === 'later' ? weights : weights.slice(-1);
  return frames.flatMap((frame) =>
    kept.map((weight) => net.graph.pixelShuffle(net.graph.conv2d(frame, weight), side)),
  );
}
