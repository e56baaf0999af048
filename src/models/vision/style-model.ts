/** Style models: an encoded picture as further words of a prompt (ComfyUI comfy/sd.py, load_style_model). */
import { SymbolicDim } from '../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatRows, takeRows } from '../../imaging/tensor-ops.js';
import { ModelError } from '../model-error.js';
import { Layers } from '../programs/layers.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import { countOf } from '../weights/count-of.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived, type Derivation } from '../weights/weight-views.js';

/** ComfyUI's STYLE_MODEL. */
export interface StyleModel {
  readonly identity: string;
  /** Words N×T×C of an image encoder's last hidden states, N×T'×C'. */
  words(lastHidden: Tensor): Promise<Tensor>;
}

/** Throws `ModelError` for a file that is none. */
export function createStyleModel(file: WeightSource, programs: ProgramCache): StyleModel {
  const kind = [t2iStyle, redux].find((each) => each.recognises(file));
  if (kind === undefined) {
    throw new ModelError(
      `${file.path} is no style model: T2I's style adapter (style_embedding) and Flux Redux (redux_down.weight) are`,
    );
  }
  const { weights, graph, beside } = kind.open(file);
  const identity = `style model ${file.identity}`;
  return {
    identity,
    words(lastHidden) {
      const width = lastHidden.shape[2] ?? 0;
      const wanted = kind.inputWidth(file);
      if (width !== wanted) {
        throw new ModelError(
          `${file.path} takes encoded pictures of width ${wanted}, these have ${width}: encode them with the image encoder that it was made for`,
        );
      }
      return programs.use(
        identity,
        () => graphOf(weights, graph),
        async (program) => {
          const rows: Tensor[] = [];
          for (let row = 0; row < lastHidden.shape[0]!; row++) {
            const { words } = await program.run({ hidden: takeRows(lastHidden, row, 1), ...beside });
            rows.push(words!);
          }
          return rows.reduce(concatRows);
        },
      );
    },
  };
}

interface StyleKind {
  recognises(file: WeightSource): boolean;
  /** Of the encoded pictures that it takes. */
  inputWidth(file: WeightSource): number;
  open(file: WeightSource): {
    readonly weights: WeightSource;
    readonly graph: () => Graph;
    readonly beside?: Readonly<Record<string, Tensor>>;
  };
}

/** Of its transformer, whatever its width. */
const STYLE_HEADS = 8;

/** T2I-Adapter's: tokens of its own attend to the picture's (ComfyUI comfy/t2i_adapter/adapter.py, StyleAdapter). */
const t2iStyle: StyleKind = {
  recognises: (file) => file.has('style_embedding'),
  inputWidth: (file) => file.weight('ln_pre.weight').shape[0] ?? 0,
  open(file) {
    const names = new Map<string, string | Derivation>();
    for (const key of file.keys()) {
      const packed = /^(.*\.attn)\.in_proj_(weight|bias)$/.exec(key);
      names.set(key, key);
      if (packed === null) continue;
      const count = Math.floor((file.weight(key).shape[0] ?? 0) / 3);
      ['query', 'key', 'value'].forEach((part, third) =>
        names.set(`${packed[1]}.${part}.${packed[2]}`, { from: key, rows: { start: third * count, count } }),
      );
    }
    names.set('proj.weight', { from: 'proj', transposed: true });
    const weights = derived(file, 'style', names);
    const { shape } = file.weight('style_embedding');
    const style = tensor(shape);
    file.weight('style_embedding').read(style.data);
    return { weights, graph: () => styleGraph(weights, shape), beside: { style } };
  },
};

function styleGraph(weights: WeightSource, [, words = 0, width = 0]: readonly number[]): Graph {
  const graph = new GraphBuilder('style model');
  const layers = new Layers(graph, weights);
  const [n, t] = [SymbolicDim.symbol('N'), SymbolicDim.symbol('T')];
  const hidden = graph.input('hidden', [n, t, width]);
  const style = graph.input('style', [n, words, width]);
  // Its own words come first here, where their number is known: attention doesn't mind the order.
  let x = layers.layerNorm(graph.concat([style, hidden], 1), 'ln_pre');
  for (let layer = 0; layer < countOf(weights, 'transformer_layes'); layer++) {
    x = styleBlock(layers, x, `transformer_layes.${layer}`);
  }
  const own = graph.takeTokens(x, style, 'first');
  graph.output('words', layers.linear(layers.layerNorm(own, 'ln_post'), 'proj'));
  return graph.build();
}

function styleBlock(layers: Layers, x: Value, path: string): Value {
  const { graph } = layers;
  const normed = layers.layerNorm(x, `${path}.ln_1`);
  const [query, key, value] = ['query', 'key', 'value'].map((part) =>
    layers.linear(normed, `${path}.attn.${part}`),
  ) as [Value, Value, Value];
  const attended = graph.attention(query, key, value, STYLE_HEADS);
  const mixed = graph.add(x, layers.linear(attended, `${path}.attn.out_proj`));
  const inner = layers.linear(layers.layerNorm(mixed, `${path}.ln_2`), `${path}.mlp.c_fc`);
  return graph.add(mixed, layers.linear(graph.activation(inner, 'quick_gelu'), `${path}.mlp.c_proj`));
}

/** Flux Redux: two layers over each patch (ComfyUI comfy/ldm/flux/redux.py). */
const redux: StyleKind = {
  recognises: (file) => file.has('redux_down.weight'),
  inputWidth: (file) => file.weight('redux_up.weight').shape[1] ?? 0,
  open: (weights) => ({
    weights,
    graph() {
      const graph = new GraphBuilder('redux');
      const layers = new Layers(graph, weights);
      const width = weights.weight('redux_up.weight').shape[1] ?? 0;
      const hidden = graph.input('hidden', [SymbolicDim.symbol('N'), SymbolicDim.symbol('T'), width]);
      const inner = graph.activation(layers.linear(hidden, 'redux_up'), 'silu');
      graph.output('words', layers.linear(inner, 'redux_down'));
      return graph.build();
    },
  }),
};
