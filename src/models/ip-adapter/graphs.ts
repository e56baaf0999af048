/** The networks of IP-Adapters: encoded pictures to words, and words to keys and values (ComfyUI_IPAdapter_plus, image_proj_models.py). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { Layers } from '../programs/layers.js';
import { countOf } from '../weights/count-of.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived, rowSlice, type Derivation } from '../weights/weight-views.js';
import type { AdapterFile } from './adapter-file.js';

const CHANNELS_A_HEAD = 64;

/**
 * `images` to words. Of plain adapters N×E, to outputs `word.0`, … N×C each; of others N×T×E to `words` N×T'×C, with plus's `latents`
 * N×T'×D.
 */
export function buildProjectionGraph({ kind, projection, width }: AdapterFile): Graph {
  const graph = new GraphBuilder('ip adapter words');
  const n = SymbolicDim.symbol('N');
  const t = SymbolicDim.symbol('T');
  if (kind === 'plain') {
    const inputs = projection.weight('proj.weight').shape[1] ?? 0;
    plainWords(graph, projection, graph.input('images', [n, inputs]), width);
  } else if (kind === 'full') {
    const layers = new Layers(graph, projection);
    const inputs = projection.weight('proj.0.weight').shape[1] ?? 0;
    const hidden = graph.activation(layers.linear(graph.input('images', [n, t, inputs]), 'proj.0'), 'gelu');
    graph.output('words', layers.layerNorm(layers.linear(hidden, 'proj.2'), 'proj.3'));
  } else {
    const inputs = projection.weight('proj_in.weight').shape[1] ?? 0;
    const [, words = 0, inner = 0] = projection.weight('latents').shape;
    const images = graph.input('images', [n, t, inputs]);
    graph.output('words', resampled(graph, projection, images, graph.input('latents', [n, words, inner])));
  }
  return graph.build();
}

/** Each word by its own rows of the layer. */
function plainWords(graph: GraphBuilder, projection: WeightSource, images: Value, width: number): void {
  const [weight, bias] = [projection.weight('proj.weight'), projection.weight('proj.bias')];
  const norm = [projection.weight('norm.weight'), projection.weight('norm.bias')] as const;
  for (let word = 0; word < (weight.shape[0] ?? 0) / width; word++) {
    const rows = [word * width, width] as const;
    const projected = graph.linear(images, rowSlice(weight, ...rows), rowSlice(bias, ...rows));
    graph.output(`word.${word}`, graph.layerNorm(projected, ...norm));
  }
}

/** Latents that attend to the patches and to each other, layer by layer. */
function resampled(graph: GraphBuilder, projection: WeightSource, images: Value, latents: Value): Value {
  const layers = new Layers(graph, withHalves(projection));
  const x = layers.linear(images, 'proj_in');
  let hidden = latents;
  for (let index = 0; index < countOf(projection, 'layers'); index++) {
    const attention = `layers.${index}.0`;
    const seen = layers.layerNorm(x, `${attention}.norm1`);
    const own = layers.layerNorm(hidden, `${attention}.norm2`);
    const query = layers.linear(own, `${attention}.to_q`);
    const asked = graph.concat([seen, own], 1);
    const key = layers.linear(asked, `${attention}.to_k`);
    const value = layers.linear(asked, `${attention}.to_v`);
    const heads = Number(query.shape[2]) / CHANNELS_A_HEAD;
    const attended = graph.attention(query, key, value, heads);
    hidden = graph.add(layers.linear(attended, `${attention}.to_out`), hidden);
    const feed = `layers.${index}.1`;
    const inner = layers.linear(layers.layerNorm(hidden, `${feed}.0`), `${feed}.1`);
    hidden = graph.add(layers.linear(graph.activation(inner, 'gelu'), `${feed}.3`), hidden);
  }
  return layers.layerNorm(layers.linear(hidden, 'proj_out'), 'norm_out');
}

/** `to_kv` as two layers. */
function withHalves(projection: WeightSource): WeightSource {
  const names = new Map<string, string | Derivation>();
  for (const key of projection.keys()) {
    const packed = /^(.*)\.to_kv\.weight$/.exec(key);
    if (packed === null) names.set(key, key);
    else {
      const count = Math.floor((projection.weight(key).shape[0] ?? 0) / 2);
      names.set(`${packed[1]}.to_k.weight`, { from: key, rows: { start: 0, count } });
      names.set(`${packed[1]}.to_v.weight`, { from: key, rows: { start: count, count } });
    }
  }
  return derived(projection, 'halves', names);
}

/** `words` N×T×C to `key.MODULE` and `value.MODULE`, N×T×C' each, of every module in the file. */
export function buildKeyGraph({ attention, width }: AdapterFile, modules: number): Graph {
  const graph = new GraphBuilder('ip adapter keys');
  const words = graph.input('words', [SymbolicDim.symbol('N'), SymbolicDim.symbol('T'), width]);
  for (let module = 0; module < modules; module++) {
    for (const [output, layer] of [
      ['key', 'to_k_ip'],
      ['value', 'to_v_ip'],
    ] as const) {
      const weight = attention.weight(`${2 * module + 1}.${layer}.weight`);
      graph.output(`${output}.${module}`, graph.linear(words, weight, undefined));
    }
  }
  return graph.build();
}

/** How many modules the file has keys and values for. */
export function moduleCount({ attention }: AdapterFile): number {
  let count = 0;
  while (attention.has(`${2 * count + 1}.to_k_ip.weight`)) count++;
  return count;
}
