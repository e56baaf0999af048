/** Depth by DINOv2 and a dense prediction head (Depth Anything V2; comfyui_controlnet_aux src/custom_controlnet_aux/depth_anything_v2). */
import type { Graph, Value } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { resizeValues } from '../../imaging/opencv/resize-taps.js';
import { ModelError } from '../model-error.js';
import { countOf } from '../weights/count-of.js';
import { rowSlice } from '../weights/weight-views.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';
import { annotatorGraph, transposedConv2d, type AnnotatorFamily, type AnnotatorLayers } from './network.js';

/** Pixels a side of a patch, and channels of a head, of every DINOv2. */
const PATCH = 14;
const HEAD = 64;

/** Which blocks are looked at, by how many there are. */
const SEEN: Readonly<Record<number, readonly number[]>> = {
  12: [2, 5, 8, 11],
  24: [4, 11, 17, 23],
  40: [9, 19, 29, 39],
};

/** Inputs: `x`, normalised as ImageNet's pictures are, and `positions` (`positionsFor`). Depths are larger the nearer. */
export const depthAnything: AnnotatorFamily = {
  name: 'Depth Anything V2',
  recognises: (weights) => weights.has('pretrained.pos_embed') && weights.has('depth_head.projects.0.weight'),
  multipleOf: PATCH,
  graph,
};

function graph(weights: WeightSource): Graph {
  const blocks = countOf(weights, 'pretrained.blocks');
  const seen = SEEN[blocks];
  if (seen === undefined) {
    throw new ModelError(`${weights.path} has ${blocks} blocks; Depth Anything's have 12, 24 or 40`);
  }
  return annotatorGraph('depth anything', weights, (nn, x) => {
    const patches = nn.conv2d(x, 'pretrained.patch_embed.proj', { stride: PATCH });
    const features = encoded(nn, weights, patches, seen);
    return depthOf(nn, weights, features, x);
  });
}

/** What the blocks that are looked at make of the patches, as pictures. */
function encoded(
  nn: AnnotatorLayers,
  weights: WeightSource,
  patches: Value,
  seen: readonly number[],
): readonly Value[] {
  const { graph } = nn;
  const width = weights.weight('pretrained.cls_token').shape[2]!;
  const norm = (x: Value, path: string): Value =>
    graph.within(path, () =>
      graph.layerNorm(x, weights.weight(`${path}.weight`), weights.weight(`${path}.bias`), 1e-6),
    );
  const first = computed('class token', [1, 1, width], () => {
    const token = valuesOf(weights.weight('pretrained.cls_token'));
    const position = valuesOf(weights.weight('pretrained.pos_embed'));
    return token.map((value, at) => value + position[at]!);
  });
  const placed = graph.spatialToTokens(graph.add(patches, graph.input('positions', patches.shape)));
  let tokens = graph.concat([graph.constant(first), placed], 1);
  const found: Value[] = [];
  for (let block = 0; block <= seen.at(-1)!; block++) {
    const path = `pretrained.blocks.${block}`;
    const attended = attention(nn, norm(tokens, `${path}.norm1`), `${path}.attn`);
    tokens = graph.add(tokens, graph.scaleFeatures(attended, weights.weight(`${path}.ls1.gamma`)));
    const inner = feedForward(nn, norm(tokens, `${path}.norm2`), weights, `${path}.mlp`);
    tokens = graph.add(tokens, graph.scaleFeatures(inner, weights.weight(`${path}.ls2.gamma`)));
    if (!seen.includes(block)) continue;
    const normed = norm(tokens, 'pretrained.norm');
    found.push(graph.tokensToSpatial(graph.takeTokens(normed, placed, 'last'), patches));
  }
  return found;
}

function attention(nn: AnnotatorLayers, x: Value, path: string): Value {
  const { graph } = nn;
  const [query, key, value] = nn.fused(x, `${path}.qkv`);
  return nn.linear(
    graph.within(path, () => graph.attention(query, key, value, Number(query.shape.at(-1)) / HEAD)),
    `${path}.proj`,
  );
}

function feedForward(nn: AnnotatorLayers, x: Value, weights: WeightSource, path: string): Value {
  const { graph } = nn;
  if (!weights.has(`${path}.w12.weight`)) {
    return nn.linear(graph.activation(nn.linear(x, `${path}.fc1`), 'gelu'), `${path}.fc2`);
  }
  const [weight, bias] = ['weight', 'bias'].map((name) => weights.weight(`${path}.w12.${name}`));
  const inner = weight!.shape[0]! / 2;
  const half = (part: number): Value =>
    graph.within(path, () =>
      graph.linear(x, rowSlice(weight!, part * inner, inner), rowSlice(bias!, part * inner, inner)),
    );
  return nn.linear(graph.multiply(graph.activation(half(0), 'silu'), half(1)), `${path}.w3`);
}

/** DPT's head: each picture at its own size, joined from the smallest on. */
function depthOf(nn: AnnotatorLayers, weights: WeightSource, features: readonly Value[], x: Value): Value {
  const { graph } = nn;
  const head = 'depth_head';
  const [first, second, third, fourth] = features.map((value, at) => {
    const path = `${head}.resize_layers.${at}`;
    const projected = nn.conv2d(value, `${head}.projects.${at}`);
    const stride = [4, 2][at];
    const sized =
      stride !== undefined
        ? transposedConv2d(nn, weights, projected, path, { stride, padding: 0 })
        : at === 3
          ? nn.conv2d(projected, path, { stride: 2, padding: 1 })
          : projected;
    return nn.conv2d(sized, `${head}.scratch.layer${at + 1}_rn`, { padding: 1 });
  }) as [Value, Value, Value, Value];
  const unit = (value: Value, path: string): Value => {
    const inner = nn.conv2d(graph.activation(value, 'relu'), `${path}.conv1`, { padding: 1 });
    return graph.add(nn.conv2d(graph.activation(inner, 'relu'), `${path}.conv2`, { padding: 1 }), value);
  };
  const fused = (step: number, value: Value, beside: Value | undefined, to: Value, factor = 1): Value => {
    const path = `${head}.scratch.refinenet${step}`;
    const sum = beside === undefined ? value : graph.add(value, unit(beside, `${path}.resConfUnit1`));
    const large = graph.resizeTo(unit(sum, `${path}.resConfUnit2`), to, { factor, keepsCorners: true });
    return nn.conv2d(large, `${path}.out_conv`);
  };
  const third1 = fused(4, fourth, undefined, third);
  const second1 = fused(3, third1, third, second);
  const first1 = fused(2, second1, second, first);
  const whole = nn.conv2d(fused(1, first1, first, first, 2), `${head}.scratch.output_conv1`, { padding: 1 });
  const large = graph.resizeTo(whole, x, { keepsCorners: true });
  const inner = nn.conv2d(large, `${head}.scratch.output_conv2.0`, { padding: 1 });
  return graph.activation(
    nn.conv2d(graph.activation(inner, 'relu'), `${head}.scratch.output_conv2.2`),
    'relu',
  );
}

/**
 * The learned positions of a square, for a picture of `height` × `width` pixels: 1×C×h×w. torch's bicubic interpolation by a factor that
 * is a little too large, as DINOv2 has it.
 */
export function positionsFor(weights: WeightSource, height: number, width: number): Tensor {
  const weight = weights.weight('pretrained.pos_embed');
  const [, count = 1, channels = 0] = weight.shape;
  const side = Math.sqrt(count - 1);
  const [rows, columns] = [height / PATCH, width / PATCH];
  const square = { data: valuesOf(weight).subarray(channels), height: side, width: side, channels };
  const isLearned = rows === side && columns === side;
  const scales = { height: side / (rows + 0.1), width: side / (columns + 0.1) };
  const values = isLearned ? square.data : resizeValues(square, 'cubic', rows, columns, scales);
  const result = tensor([1, channels, rows, columns]);
  const pixels = rows * columns;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      result.data[channel * pixels + pixel] = values[pixel * channels + channel]!;
    }
  }
  return result;
}
