/** Wan's autoencoders layer by layer, of both generations (ComfyUI comfy/ldm/wan/vae.py and vae2_2.py). */
import type { Graph, Value } from '../../../compute/graph.js';
import { elementCount } from '../../../compute/tensor.js';
import type { Weight } from '../../../compute/weight.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { rowSlice } from '../../weights/weight-views.js';
import { CausalLayers, type FilmPlace } from './causal-layers.js';
import { frameDownscale, type WanConfig } from './wan-config.js';
import { mergedPixels, spreadPixels } from './wan-shortcuts.js';

/** Inputs `latent 0` 1×C×H×W and what layers remember; outputs `pixels 0…`, 1×3×H'×W' in about [−1, 1], and what they remember. */
export function buildWanDecoder(config: WanConfig, weights: WeightSource, place: FilmPlace): Graph {
  const net = new CausalLayers('vae decoder', inRowOrder(weights, config), place);
  const latent = net.inputs('latent', 1, config.latentChannels);
  let frames = net.conv3d(net.conv3d(latent, 'conv2'), 'decoder.conv1');
  frames = middle(net, frames, 'decoder.middle');
  for (let index = 0; hasBlock(net, `decoder.upsamples.${index}`, config); index++) {
    const path = `decoder.upsamples.${index}`;
    frames = config.nested ? nestedUp(net, frames, path) : upLayer(net, frames, path);
  }
  frames = head(net, frames, 'decoder.head');
  return net.build('pixels', config.nested ? frames.map((x) => net.graph.pixelShuffle(x, 2)) : frames);
}

/** Inputs `pixels 0…` 1×3×H×W in [−1, 1], one frame or a group, and what layers remember; output `latent 0`, the mean. */
export function buildWanEncoder(config: WanConfig, weights: WeightSource, place: FilmPlace): Graph {
  const net = new CausalLayers('vae encoder', inRowOrder(weights, config), place);
  const count = place === 'later' ? frameDownscale : 1;
  const pixels = net.inputs('pixels', count, config.pictureChannels);
  const given = config.nested ? pixels.map((x) => net.graph.pixelUnshuffle(x, 2)) : pixels;
  let frames = net.conv3d(given, 'encoder.conv1');
  for (let index = 0; hasBlock(net, `encoder.downsamples.${index}`, config); index++) {
    const path = `encoder.downsamples.${index}`;
    frames = config.nested ? nestedDown(net, frames, path) : downLayer(net, frames, path);
  }
  frames = head(net, middle(net, frames, 'encoder.middle'), 'encoder.head');
  const mean = { start: 0, count: config.latentChannels };
  return net.build('latent', net.conv3d(frames, 'conv1', mean));
}

function hasBlock(net: CausalLayers, path: string, { nested }: WanConfig): boolean {
  if (!nested) return hasLayer(net, path);
  return hasLayer(net, `${path}.upsamples.0`) || hasLayer(net, `${path}.downsamples.0`);
}

function residual(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  let hidden = net.silu(net.rmsNorm(frames, `${path}.residual.0`));
  hidden = net.silu(net.rmsNorm(net.conv3d(hidden, `${path}.residual.2`), `${path}.residual.3`));
  hidden = net.conv3d(hidden, `${path}.residual.6`);
  const past = net.has(`${path}.shortcut.weight`) ? net.conv3d(frames, `${path}.shortcut`) : frames;
  return net.add(hidden, past);
}

/** One head over the pixels of each frame. */
function attention(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  const { graph } = net;
  const normed = net.rmsNorm(frames, `${path}.norm`);
  const weight = net.weight(`${path}.to_qkv.weight`);
  const bias = net.weight(`${path}.to_qkv.bias`);
  const count = weight.shape[0]! / 3;
  const parts = [0, 1, 2].map((part) => ({
    weight: rowSlice(weight, part * count, count),
    bias: rowSlice(bias, part * count, count),
  }));
  return frames.map((frame, index) =>
    graph.within(path, () => {
      const [query, key, value] = parts.map((part) =>
        graph.spatialToTokens(graph.conv2d(normed[index]!, part.weight, part.bias)),
      ) as [Value, Value, Value];
      const mixed = graph.tokensToSpatial(graph.attention(query, key, value, 1), frame);
      return graph.add(
        graph.conv2d(mixed, net.weight(`${path}.proj.weight`), net.weight(`${path}.proj.bias`)),
        frame,
      );
    }),
  );
}

function middle(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  const mixed = attention(net, residual(net, frames, `${path}.0`), `${path}.1`);
  return residual(net, mixed, `${path}.2`);
}

function head(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  return net.conv3d(net.silu(net.rmsNorm(frames, `${path}.0`)), `${path}.2`);
}

function upLayer(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  if (!net.has(`${path}.resample.1.weight`)) return residual(net, frames, path);
  const doubled = net.has(`${path}.time_conv.weight`)
    ? net.doubleFrames(frames, `${path}.time_conv`)
    : frames;
  const larger = doubled.map((frame) => net.graph.upsampleNearest(frame, 2));
  return net.conv2d(larger, `${path}.resample.1`, { padding: 1 });
}

function downLayer(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  if (!net.has(`${path}.resample.1.weight`)) return residual(net, frames, path);
  const smaller = net.conv2d(frames, `${path}.resample.1`, { stride: 2, padding: [0, 0, 1, 1] });
  return net.has(`${path}.time_conv.weight`) ? net.halveFrames(smaller, `${path}.time_conv`) : smaller;
}

/** The layers of a block of Wan 2.2, and what passes it by. */
function nestedUp(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  let main: readonly Value[] = frames;
  let last = '';
  for (let index = 0; hasLayer(net, `${path}.upsamples.${index}`); index++) {
    last = `${path}.upsamples.${index}`;
    main = upLayer(net, main, last);
  }
  if (!net.has(`${last}.resample.1.weight`)) return [...main];
  const time = net.has(`${last}.time_conv.weight`) ? 2 : 1;
  return net.add(main, spreadPixels(net, frames, Number(main[0]!.shape[1]), { time, side: 2 }));
}

function nestedDown(net: CausalLayers, frames: readonly Value[], path: string): Value[] {
  let main: readonly Value[] = frames;
  let last = '';
  for (let index = 0; hasLayer(net, `${path}.downsamples.${index}`); index++) {
    last = `${path}.downsamples.${index}`;
    main = downLayer(net, main, last);
  }
  const side = net.has(`${last}.resample.1.weight`) ? 2 : 1;
  const time = net.has(`${last}.time_conv.weight`) ? 2 : 1;
  return net.add(main, mergedPixels(net, frames, Number(main[0]!.shape[1]), { time, side }));
}

function hasLayer(net: CausalLayers, path: string): boolean {
  return net.has(`${path}.residual.2.weight`) || net.has(`${path}.resample.1.weight`);
}

/** Wan 2.2 counts a patch's pixels column by column; layers that cut and join patches, row by row. */
function inRowOrder(weights: WeightSource, { nested }: WanConfig): WeightSource {
  if (!nested) return weights;
  const turned: Readonly<Record<string, number>> = {
    'encoder.conv1.weight': 1,
    'decoder.head.2.weight': 0,
    'decoder.head.2.bias': 0,
  };
  return {
    path: weights.path,
    identity: weights.identity,
    keys: () => weights.keys(),
    has: (key) => weights.has(key),
    weight(key) {
      const weight = weights.weight(key);
      const axis = turned[key];
      return axis === undefined ? weight : turnedPatches(weight, axis);
    },
    rows: (key, start, count) => weights.rows(key, start, count),
  };
}

/** Exchanges the second and third of every four along an axis: 2×2 columns and rows. */
function turnedPatches(weight: Weight, axis: number): Weight {
  const run = elementCount(weight.shape.slice(axis + 1));
  return {
    name: weight.name,
    shape: weight.shape,
    read(into) {
      const whole = new Float32Array(into.length);
      weight.read(whole);
      for (let from = 0; from < whole.length; from += run) {
        const place = (from / run) % 4;
        const to = place === 1 ? from + run : place === 2 ? from - run : from;
        into.set(whole.subarray(from, from + run), to);
      }
    },
  };
}
