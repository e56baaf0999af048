/** Chroma (lodestones, 2025): Flux without modulation layers, whose values a small network approximates (ComfyUI comfy/ldm/chroma/model.py). */
import { addDims, SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { countOf } from '../../weights/count-of.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { checkContext } from '../context.js';
import { doubleBlock, singleBlock } from '../flux/blocks.js';
import { refuseGuidedAttention } from '../flux/changes.js';
import { headWidth, isFluxLike } from '../flux/config.js';
import { MACHINE_EPSILON, TransformerLayers } from '../layers.js';
import { modulated, type Modulation } from '../modulation.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches } from '../patches.js';
import { nothingSkipped, skippedBlocks, type Skipped } from '../skipped.js';
import { angleTables, gridPositions, positions } from '../positions.js';

export interface ChromaConfig {
  readonly width: number;
  readonly heads: number;
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
  readonly approximatorLayers: number;
  readonly inputs: number;
  readonly contextWidth: number;
}

/** Modulations that the approximator makes, whatever a file uses of them. */
const POSITIONS = 344;
/** Widths of the sinusoids of time, guidance and position. */
const WIDTHS = [16, 16, 32] as const;
const APPROXIMATOR = 'distilled_guidance_layer';
const TIME_FACTOR = 1000;
const AXES = { widths: [16, 56, 56], theta: 10000 };
const patching = { size: 2, order: 'channels first' } as const;

export function detectChroma(weights: WeightSource): ChromaConfig | undefined {
  if (!isFluxLike(weights) || !weights.has(`${APPROXIMATOR}.in_proj.weight`)) return undefined;
  const [width = 0, inputs = 0] = weights.weight('img_in.weight').shape;
  return {
    width,
    inputs,
    heads: width / headWidth(weights)!,
    doubleBlocks: countOf(weights, 'double_blocks'),
    singleBlocks: countOf(weights, 'single_blocks'),
    approximatorLayers: countOf(weights, `${APPROXIMATOR}.layers`),
    contextWidth: weights.weight('txt_in.weight').shape[1]!,
  };
}

/** Its inputs are `context` (N×T×C) and `guidance` (N×1). */
export function chromaNetwork(config: ChromaConfig): Network {
  return transformerNetwork<Skipped>({
    name: 'chroma',
    plain: nothingSkipped,
    graph: (weights, skipped) => buildChromaGraph(config, weights, skipped),
    plan: (evaluation, changes) => planChroma(config, evaluation, changes),
  });
}

function buildChromaGraph(config: ChromaConfig, weights: WeightSource, skipped: Skipped): Graph {
  const graph = new GraphBuilder('chroma', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = [
    SymbolicDim.symbol('batch'),
    SymbolicDim.symbol('text'),
    SymbolicDim.symbol('image'),
  ];
  const ownImage = layers.linear(graph.input('image', [batch, image, config.inputs]), 'img_in');
  const ownText = layers.linear(graph.input('context', [batch, text, config.contextWidth]), 'txt_in');
  const width = WIDTHS.reduce((sum, each) => sum + each, 0);
  const vectors = approximated(layers, graph.input('positions', [batch, POSITIONS, width]), config);
  const tokens = addDims(text, image);
  const pairs = config.width / config.heads / 2;
  const angles = {
    cosines: graph.input('cosines', [1, tokens, pairs]),
    sines: graph.input('sines', [1, tokens, pairs]),
  };
  const options = { heads: config.heads, angles, gatedMlp: false };
  const at = (index: number): Value => graph.slice(vectors, 1, index, 1);
  const from = (index: number): Modulation => ({
    shift: at(index),
    scale: at(index + 1),
    gate: at(index + 2),
  });

  // Of all single blocks come first, then those of the image's and of the text's halves of double blocks.
  const ofImages = 3 * config.singleBlocks;
  const ofTexts = ofImages + 6 * config.doubleBlocks;
  let x = { image: ownImage, text: ownText };
  for (let index = 0; index < config.doubleBlocks; index++) {
    if (skipped.double.includes(index)) continue;
    const pair = (start: number) => [from(start + 6 * index), from(start + 6 * index + 3)] as const;
    x = doubleBlock(
      layers,
      `double_blocks.${index}`,
      x,
      { image: pair(ofImages), text: pair(ofTexts) },
      options,
    );
  }
  let all = graph.concat([x.text, x.image], 1);
  for (let index = 0; index < config.singleBlocks; index++) {
    if (skipped.single.includes(index)) continue;
    all = singleBlock(layers, `single_blocks.${index}`, all, from(3 * index), options);
  }
  const made = layers.plainLayerNorm(graph.takeTokens(all, ownImage, 'last'));
  const final = { shift: at(POSITIONS - 2), scale: at(POSITIONS - 1) };
  graph.output('out', layers.linear(modulated(graph, made, final), 'final_layer.linear'));
  return graph.build();
}

function approximated(layers: TransformerLayers, input: Value, config: ChromaConfig): Value {
  const { graph } = layers;
  let x = layers.linear(input, `${APPROXIMATOR}.in_proj`);
  for (let index = 0; index < config.approximatorLayers; index++) {
    const path = `${APPROXIMATOR}.layers.${index}`;
    const normed = layers.rmsNorm(x, `${APPROXIMATOR}.norms.${index}`, { epsilon: MACHINE_EPSILON });
    x = graph.add(x, layers.mlp(normed, `${path}.in_layer`, `${path}.out_layer`, 'silu'));
  }
  return layers.linear(x, `${APPROXIMATOR}.out_proj`);
}

function planChroma(
  config: ChromaConfig,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
): TransformerPlan<Skipped> {
  refuseGuidedAttention('Chroma', changes);
  const context = checkContext('chroma', config.contextWidth, inputs);
  const guidance = inputs['guidance']?.data ?? new Float32Array(timesteps.length);
  const runs = [
    positions(context.shape[1]!, AXES.widths.length, () => [0, 0, 0]),
    gridPositions(gridOf(x, patching.size), AXES.widths.length, (_, row, column) => [0, row, column]),
  ];
  return {
    variant: skippedBlocks(changes),
    inputs: {
      image: toPatches(x, patching),
      context,
      positions: sinusoids(timesteps, guidance),
      ...angleTables(runs, AXES),
    },
    finish: (out) => fromPatches(out, x.shape, patching),
  };
}

/** N×344×64: of time, guidance and position side by side, all ×1000. */
function sinusoids(timesteps: Float32Array, guidance: Float32Array): Tensor {
  const embed = (numbers: ArrayLike<number>, width: number) =>
    timestepEmbedding(
      Float32Array.from(numbers, (value) => value * TIME_FACTOR),
      width,
    ).data;
  const [timeWidth, guidanceWidth, positionWidth] = WIDTHS;
  const times = embed(timesteps, timeWidth);
  const guidances = embed(guidance, guidanceWidth);
  const places = embed(
    Array.from({ length: POSITIONS }, (_, index) => index),
    positionWidth,
  );
  const width = timeWidth + guidanceWidth + positionWidth;
  const all = tensor([timesteps.length, POSITIONS, width]);
  for (let row = 0; row < timesteps.length; row++) {
    for (let place = 0; place < POSITIONS; place++) {
      const at = (row * POSITIONS + place) * width;
      all.data.set(times.subarray(row * timeWidth, (row + 1) * timeWidth), at);
      all.data.set(guidances.subarray(row * guidanceWidth, (row + 1) * guidanceWidth), at + timeWidth);
      const own = places.subarray(place * positionWidth, (place + 1) * positionWidth);
      all.data.set(own, at + timeWidth + guidanceWidth);
    }
  }
  return all;
}
