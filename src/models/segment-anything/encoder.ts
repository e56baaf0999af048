/** SAM's image encoder: a vision transformer that looks through windows (segment_anything/modeling/image_encoder.py). */
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import type { Weight } from '../../compute/weight.js';
import { ModelError } from '../model-error.js';
import { Layers } from '../programs/layers.js';
import { countOf } from '../weights/count-of.js';
import { computed, valuesOf } from '../weights/weight-values.js';
import type { WeightSource } from '../weights/weight-source.js';

const PREFIX = 'image_encoder';
const EPSILON = 1e-6;

export interface SamSize {
  /** Places along each side of what it sees. */
  readonly grid: number;
  /** Pixels along each side of its input. */
  readonly pixels: number;
}

export function samSize(weights: WeightSource): SamSize {
  const [, grid = 0, columns] = weights.weight(`${PREFIX}.pos_embed`).shape;
  const patch = weights.weight(`${PREFIX}.patch_embed.proj.weight`).shape[2]!;
  if (grid !== columns || grid < 1) {
    throw new ModelError(`${weights.path} sees ${grid}×${String(columns)} places: SAM's are square`);
  }
  return { grid, pixels: grid * patch };
}

/** A normalised square picture `x`, 1×3×S×S, to `features`, 1×C×grid×grid. */
export function samEncoder(weights: WeightSource): Graph {
  const graph = new GraphBuilder('sam encoder');
  const nn = new Layers(graph, weights);
  const { grid, pixels } = samSize(weights);
  const x = graph.input('x', [1, 3, pixels, pixels]);
  const stride = pixels / grid;
  const patches = nn.conv2d(x, `${PREFIX}.patch_embed.proj`, { stride });
  let value = graph.add(patches, graph.constant(placesFirst(weights.weight(`${PREFIX}.pos_embed`))));
  const count = countOf(weights, `${PREFIX}.blocks`);
  for (let index = 0; index < count; index++)
    value = block(nn, weights, value, `${PREFIX}.blocks.${index}`, grid);
  const neck = `${PREFIX}.neck`;
  const narrow = pictureNorm(nn, weights, nn.conv2d(value, `${neck}.0`), `${neck}.1`);
  const features = pictureNorm(nn, weights, nn.conv2d(narrow, `${neck}.2`, { padding: 1 }), `${neck}.3`);
  graph.output('features', features);
  return graph.build();
}

/** Over the channels of each place (LayerNorm2d). */
export function pictureNorm({ graph }: Layers, weights: WeightSource, x: Value, path: string): Value {
  const normed = graph.within(path, () =>
    graph.layerNorm(
      graph.spatialToTokens(x),
      weights.weight(`${path}.weight`),
      weights.weight(`${path}.bias`),
      EPSILON,
    ),
  );
  return graph.tokensToSpatial(normed, x);
}

function block(nn: Layers, weights: WeightSource, x: Value, path: string, grid: number): Value {
  const { graph } = nn;
  const window = (weights.weight(`${path}.attn.rel_pos_h`).shape[0]! + 1) / 2;
  const normed = pictureNorm(nn, weights, x, `${path}.norm1`);
  let attended: Value;
  if (window === grid) {
    attended = graph.tokensToSpatial(
      attention(nn, weights, graph.spatialToTokens(normed), `${path}.attn`),
      x,
    );
  } else {
    // What lies beyond the picture is zero before the projections, and is seen like the rest.
    const padded = grid % window === 0 ? normed : graph.padMultiple(normed, window);
    const mixed = attention(nn, weights, graph.windows(padded, window, window), `${path}.attn`);
    attended = graph.cropLike(graph.joinWindows(mixed, padded, window, window), x);
  }
  const sum = graph.add(x, attended);
  const tokens = graph.spatialToTokens(pictureNorm(nn, weights, sum, `${path}.norm2`));
  const inner = graph.activation(nn.linear(tokens, `${path}.mlp.lin1`), 'gelu');
  return graph.add(sum, graph.tokensToSpatial(nn.linear(inner, `${path}.mlp.lin2`), sum));
}

function attention(nn: Layers, weights: WeightSource, x: Value, path: string): Value {
  const { graph } = nn;
  const [query, key, value] = nn.fused(x, `${path}.qkv`);
  const [rows, columns] = ['rel_pos_h', 'rel_pos_w'].map((name) => weights.weight(`${path}.${name}`));
  const each = rows!.shape[1]!;
  const mixed = graph.within(path, () =>
    graph.positionedAttention(query, key, value, Number(query.shape.at(-1)) / each, {
      scale: each ** -0.5,
      rows: byDistance(rows!),
      columns: byDistance(columns!),
    }),
  );
  return nn.linear(mixed, `${path}.proj`);
}

/** Vectors by distance, (2·n − 1)×d, as n×d×n: of each place that asks, those of the places that are asked. */
function byDistance(weight: Weight): Weight {
  const [distances = 0, features = 0] = weight.shape;
  const places = (distances + 1) / 2;
  return computed(weight.name, [places, features, places], () => {
    const values = valuesOf(weight);
    const result = new Float32Array(places * features * places);
    for (let asking = 0; asking < places; asking++) {
      for (let asked = 0; asked < places; asked++) {
        const from = (asking - asked + places - 1) * features;
        for (let at = 0; at < features; at++) {
          result[(asking * features + at) * places + asked] = values[from + at]!;
        }
      }
    }
    return result;
  });
}

/** 1×h×w×C as 1×C×h×w. */
function placesFirst(weight: Weight): Weight {
  const [, height = 0, width = 0, channels = 0] = weight.shape;
  return computed(weight.name, [1, channels, height, width], () => {
    const values = valuesOf(weight);
    const places = height * width;
    return Float32Array.from(
      { length: channels * places },
      (_, at) => values[(at % places) * channels + Math.floor(at / places)]!,
    );
  });
}
