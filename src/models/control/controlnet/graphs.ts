/** ControlNets of the UNet family (Zhang et al., "Adding Conditional Control to Text-to-Image Diffusion Models", 2023; ComfyUI comfy/cldm/cldm.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { Layers } from '../../programs/layers.js';
import type { UnetEncoderConfig } from '../../unet/config.js';
import { UnetEncoder } from '../../unet/encoder.js';
import { BlockChanger, noBlockChanges } from '../../unet/block-changes.js';
import { SelfAttentions } from '../../unet/self-attention.js';
import { plainVariant } from '../../unet/variant.js';
import type { WeightSource } from '../../weights/weight-source.js';

/** Of the convolutions that a hint passes; each halves or keeps its size. */
const HINT_STRIDES = [1, 1, 2, 1, 2, 1, 2, 1];
/** Width of the embedding of each kind of picture that a union may see. */
export const KIND_WIDTH = 256;

/** Whether it is a union: one network for several kinds of pictures, which is told which. */
export function isUnion(weights: WeightSource): boolean {
  return weights.has('control_add_embedding.linear_1.weight');
}

/**
 * What a hint, `hint` N×C×8h×8w, adds to the first block: `guided` N×C×h×w. With `kind`, a union's input N×C of that name, the hint is seen
 * as of that kind.
 */
export function buildHintGraph(
  { modelChannels }: UnetEncoderConfig,
  weights: WeightSource,
  ofKind: boolean,
): Graph {
  const graph = new GraphBuilder('controlnet hint');
  const layers = new Layers(graph, weights);
  const [n, h, w] = [SymbolicDim.symbol('N'), SymbolicDim.symbol('H'), SymbolicDim.symbol('W')];
  const channels = weights.weight('input_hint_block.0.weight').shape[1]!;
  let guided = graph.input('hint', [n, channels, h, w]);
  HINT_STRIDES.forEach((stride, index) => {
    const hidden = layers.conv2d(guided, `input_hint_block.${2 * index}`, { stride, padding: 1 });
    guided = index === HINT_STRIDES.length - 1 ? hidden : graph.activation(hidden, 'silu');
  });
  if (ofKind) {
    const kind = graph.input('kind', [n, modelChannels]);
    const token = graph.add(graph.meanPixels(guided), kind);
    guided = graph.addPerChannel(guided, seenAsKind(layers, token));
  }
  graph.output('guided', guided);
  return graph.build();
}

/** A transformer over one token (ResBlockUnionControlnet): that attends to itself alone, so only its value counts. */
function seenAsKind(layers: Layers, token: Value): Value {
  const { graph } = layers;
  const path = 'transformer_layes.0';
  const value = layers.linear(layers.layerNorm(token, `${path}.ln_1`), `${path}.attn.value`);
  const attended = graph.add(token, layers.linear(value, `${path}.attn.out_proj`));
  const inner = layers.linear(layers.layerNorm(attended, `${path}.ln_2`), `${path}.mlp.c_fc`);
  const hidden = layers.linear(graph.activation(inner, 'quick_gelu'), `${path}.mlp.c_proj`);
  return layers.linear(graph.add(attended, hidden), 'spatial_ch_projs');
}

/**
 * One evaluation. Inputs: `x` N×C×h×w, `time_embedding` N×C, `guided` N×C×h×w, `context` N×T×contextDim where something attends, `adm`
 * where it has a label embedding, and `kinds` N×(kinds·`KIND_WIDTH`) of unions. Outputs: what it adds at `middle` and `skip.0`, ….
 */
export function buildControlGraph(config: UnetEncoderConfig, weights: WeightSource): Graph {
  const graph = new GraphBuilder('controlnet', { mayRound: true });
  const layers = new Layers(graph, weights);
  const n = SymbolicDim.symbol('N');
  const picture = [SymbolicDim.symbol('H'), SymbolicDim.symbol('W')];
  const { modelChannels, admChannels, contextDim } = config;
  const x = graph.input('x', [n, config.inChannels, ...picture]);
  const time = graph.input('time_embedding', [n, modelChannels]);
  const guided = graph.input('guided', [n, modelChannels, ...picture]);
  const context =
    contextDim === 0 ? undefined : graph.input('context', [n, SymbolicDim.symbol('T'), contextDim]);
  const changer = new BlockChanger(graph, noBlockChanges);
  const encoder = new UnetEncoder({
    config,
    layers,
    context,
    selfAttentions: new SelfAttentions(layers, plainVariant, changer),
    changer,
  });

  let embedding = encoder.embed(time, 'time_embed.0', 'time_embed.2');
  if (isUnion(weights)) {
    const width = weights.weight('control_add_embedding.linear_1.weight').shape[1]!;
    const kinds = graph.input('kinds', [n, width]);
    const told = encoder.embed(kinds, 'control_add_embedding.linear_1', 'control_add_embedding.linear_2');
    embedding = graph.add(embedding, told);
  }
  if (admChannels !== undefined) {
    const adm = graph.input('adm', [n, admChannels]);
    embedding = graph.add(embedding, encoder.embed(adm, 'label_emb.0.0', 'label_emb.0.2'));
  }
  const activated = graph.activation(embedding, 'silu');
  const { skips, bottom } = encoder.down(x, activated, (yielded, block) => {
    const skip = block === 0 ? graph.add(yielded, guided) : yielded;
    return { skip, next: skip };
  });
  skips.forEach((skip, index) => {
    graph.output(`skip.${index}`, layers.conv2d(skip, `zero_convs.${index}.0`));
  });
  graph.output('middle', layers.conv2d(encoder.middle(bottom, activated), 'middle_block_out.0'));
  return graph.build();
}
