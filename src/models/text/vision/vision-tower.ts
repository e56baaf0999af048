/** Qwen2.5-VL's tower for pictures (ComfyUI comfy/text_encoders/qwen_vl.py, Qwen2VLVisionTransformer). */
import { multiplyDims, SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { Layers } from '../../programs/layers.js';
import { graphOf } from '../../programs/model-graph.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape } from '../../weights/weight-views.js';
import type { SeenPicture } from '../row-encoder.js';
import type { EncodeOptions, PromptPicture } from '../text-encoding.js';
import { patchValues, patchWindows, windowPatches, type PatchWindows } from './picture-patches.js';

const headDim = 80;
const epsilon = 1e-6;
/** Layers whose patches see the whole picture; in the others, their window. */
const wholeLayers = new Set([7, 15, 23, 31]);
/** Patches that become one token. */
const merged = 4;
/** Score of what isn't there. */
const hiddenScore = -1e30;

/** What the tower makes of a picture. */
export async function seePicture(
  { picture }: PromptPicture,
  { weights, programs }: EncodeOptions,
): Promise<SeenPicture> {
  const windows = patchWindows(picture);
  const states = await programs.use(
    `${weights.identity}|vision`,
    () => graphOf(weights, () => buildTower(weights)),
    async (program) => (await program.run(towerInputs(windows)))['hidden']!,
  );
  const rows = await programs.use(
    `${weights.identity}|vision merger`,
    () => graphOf(weights, () => buildMerger(weights)),
    async (program) => (await program.run({ tokens: tokensOf(states, windows) }))['rows']!,
  );
  const [, count = 0, width = 0] = rows.shape;
  return { rows: tensor([count, width], rows.data), down: windows.down, across: windows.across };
}

function towerInputs({ patches, rows, columns }: PatchWindows): Record<string, Tensor> {
  const [windows = 0] = patches.shape;
  const pairs = headDim / 2;
  const cosines = tensor([windows, windowPatches, pairs]);
  const sines = tensor([windows, windowPatches, pairs]);
  const mask = tensor([windows, 1, 1, windowPatches]);
  rows.forEach((row, place) => {
    if (row < 0) mask.data[place] = hiddenScore;
    for (let pair = 0; pair < pairs; pair++) {
      const position = pair < pairs / 2 ? row : columns[place]!;
      const share = Math.fround((2 * (pair % (pairs / 2))) / pairs);
      const angle = Math.fround(Math.max(0, position) * Math.fround(1 / Math.fround(10000 ** share)));
      cosines.data[place * pairs + pair] = Math.cos(angle);
      sines.data[place * pairs + pair] = Math.sin(angle);
    }
  });
  return { patches, cosines, sines, mask, whole: tensor([1, 1, 1, windows * windowPatches], mask.data) };
}

/** Inputs: `patches` W×64×1176, angles W×64×(d/2), `mask` of a window's patches and `whole` of all; output `hidden` W×64×C, normed. */
function buildTower(weights: WeightSource): Graph {
  const embedding = weights.weight('visual.patch_embed.proj.weight');
  const width = embedding.shape[0]!;
  const heads = width / headDim;
  const graph = new GraphBuilder('vision tower', { range: 'wide' });
  const net = new Layers(graph, weights);
  const windows = SymbolicDim.symbol('windows');
  const patches = graph.input('patches', [windows, windowPatches, patchValues]);
  const angle = (name: string) => graph.input(name, [windows, windowPatches, headDim / 2]);
  const angles = { cosines: angle('cosines'), sines: angle('sines') };
  const mask = graph.input('mask', [windows, 1, 1, windowPatches]);
  const whole = graph.input('whole', [1, 1, 1, multiplyDims(windows, windowPatches)]);
  const norm = (x: Value, path: string) =>
    graph.within(path, () => graph.rmsNorm(x, weights.weight(`${path}.weight`), { epsilon }));

  let x = graph.linear(patches, reshape(embedding, [width, patchValues]));
  for (let index = 0; weights.has(`visual.blocks.${index}.norm1.weight`); index++) {
    const path = `visual.blocks.${index}`;
    const given = net.linear(norm(x, `${path}.norm1`), `${path}.attn.qkv`);
    const part = (place: number) => graph.slice(given, 2, place * width, width);
    const turned = (place: number) => graph.rotary(part(place), angles, { heads, pairs: 'halves' });
    const [query, key, value] = [turned(0), turned(1), part(2)];
    const mixed = wholeLayers.has(index)
      ? graph.regroupTokens(
          graph.attention(
            graph.regroupTokens(query),
            graph.regroupTokens(key),
            graph.regroupTokens(value),
            heads,
            { bias: whole },
          ),
          query,
        )
      : graph.attention(query, key, value, heads, { bias: mask });
    x = graph.add(x, net.linear(mixed, `${path}.attn.proj`));
    const inner = norm(x, `${path}.norm2`);
    const gate = graph.activation(net.linear(inner, `${path}.mlp.gate_proj`), 'silu');
    const gated = graph.multiply(gate, net.linear(inner, `${path}.mlp.up_proj`));
    x = graph.add(x, net.linear(gated, `${path}.mlp.down_proj`));
  }
  graph.output('hidden', norm(x, 'visual.merger.ln_q'));
  return graph.build();
}

/** Input `tokens` 1×T×4C, four patches each; output `rows` 1×T×C', as the language model takes them. */
function buildMerger(weights: WeightSource): Graph {
  const graph = new GraphBuilder('vision merger', { range: 'wide' });
  const net = new Layers(graph, weights);
  const width = weights.weight('visual.merger.mlp.0.weight').shape[1]!;
  const tokens = graph.input('tokens', [1, SymbolicDim.symbol('tokens'), width]);
  const inner = graph.activation(net.linear(tokens, 'visual.merger.mlp.0'), 'gelu');
  graph.output('rows', net.linear(inner, 'visual.merger.mlp.2'));
  return graph.build();
}

/** Patches of the windows as tokens of the picture, row by row. */
function tokensOf(states: Tensor, { rows, columns, down, across }: PatchWindows): Tensor {
  const width = states.shape[2]!;
  const tokens = tensor([1, down * across, merged * width]);
  for (let place = 0; place < rows.length; place += merged) {
    if (rows[place]! < 0) continue;
    const token = (rows[place]! / 2) * across + columns[place]! / 2;
    tokens.data.set(states.data.subarray(place * width, (place + merged) * width), token * merged * width);
  }
  return tokens;
}
