/** Wan 2.1 and 2.2 (2025): films by one stream that attends to itself, then to the text (ComfyUI comfy/ldm/wan/model.py). */
import { SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import type { Weight } from '../../../compute/weight.js';
import type { Angles } from '../../../compute/operations/rotary.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { concatChannels } from '../../../imaging/latent-channels.js';
import type { ModelChange } from '../../denoiser/changes.js';
import type { Evaluation, Network } from '../../denoiser/denoiser.js';
import { ModelError } from '../../model-error.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { reshape, rowSlice } from '../../weights/weight-views.js';
import { checkContext } from '../context.js';
import { TransformerLayers } from '../layers.js';
import { transformerNetwork, type TransformerPlan } from '../network.js';
import { fromPatches, gridOf, toPatches, tokenCount } from '../patches.js';
import { angleTables, gridPositions } from '../positions.js';
import { skippedBlocks } from '../skipped.js';
import { joinTokens, tokensFrom } from '../tokens.js';
import {
  cameraGraph,
  patchLayer,
  throughVace,
  unshuffledFrames,
  vaceBlockBeside,
  vaceStreams,
} from './beside.js';
import { HEAD_WIDTH, PATCH, type WanSizes } from './config.js';

export { detectWan, type WanSizes } from './config.js';

interface Variant {
  /** Frames have times of their own: a film whose first frame is given. */
  readonly timed: 'alike' | 'by frame';
  /** An encoded picture is seen. */
  readonly picture: boolean;
  /** A reference picture's patches come first. */
  readonly reference: boolean;
  readonly camera: boolean;
  /** Films beside the one that is made. */
  readonly vace: number;
  readonly skipped: readonly number[];
}

const SINUSOID_WIDTH = 256;
const EPSILON = 1e-6;
const before = { size: PATCH, order: 'channels first' } as const;
const behind = { size: PATCH, order: 'channels last' } as const;

/**
 * Its inputs are `context` (N×T×C), `concat` (N×C×F×h×w), channels beside the latent, `picture` (N×T×C), an encoded picture's tokens,
 * `noise_mask` (N×1×F×h×w), by whose mean each frame's time is scaled, `subjects` (N×C×F'×h×w), frames behind the film's, `reference` (N×C×h×w),
 * a frame before them, `camera` (N×C×F×H×W), a camera's path in pixels, and `vace.INDEX` (N×C×F×h×w) with `vace_strength`, a number for each.
 */
export function wanNetwork(config: WanSizes): Network {
  return transformerNetwork<Variant>({
    name: 'wan',
    plain: { timed: 'alike', picture: false, reference: false, camera: false, vace: 0, skipped: [] },
    graph: (weights, variant) => buildWanGraph(config, weights, variant),
    plan: (evaluation, changes) => planWan(config, evaluation, changes),
  });
}

function buildWanGraph(config: WanSizes, weights: WeightSource, variant: Variant): Graph {
  const graph = new GraphBuilder('wan', { mayRound: true, range: 'wide' });
  const layers = new TransformerLayers(graph, weights);
  const [batch, text, image] = [
    SymbolicDim.symbol('batch'),
    SymbolicDim.symbol('text'),
    SymbolicDim.symbol('image'),
  ];
  const { width, heads } = config;
  let x = patchLayer(
    layers,
    graph.input('image', [batch, image, config.inputs * PATCH * PATCH]),
    'patch_embedding',
  );
  if (variant.camera) x = graph.add(x, graph.input('camera', [batch, image, width]));
  const reference = SymbolicDim.symbol('reference');
  if (variant.reference) {
    const values = weights.weight('ref_conv.weight').shape[1]! * PATCH * PATCH;
    x = graph.concat(
      [patchLayer(layers, graph.input('reference', [batch, reference, values]), 'ref_conv'), x],
      1,
    );
  }
  const embedded = x;
  const beside = vaceStreams(layers, config, variant.vace, [batch, image]);
  const pairs = HEAD_WIDTH / 2;
  const tokens = x.shape[1]!;
  const angles = {
    cosines: graph.input('cosines', [1, tokens, pairs]),
    sines: graph.input('sines', [1, tokens, pairs]),
  };
  // One time for all tokens, or one for each.
  const times = variant.timed === 'alike' ? 1 : image;
  const sinusoid = graph.input('time', [batch, times, SINUSOID_WIDTH]);
  const time = layers.mlp(sinusoid, 'time_embedding.0', 'time_embedding.2', 'silu');
  const projected = layers.chunks(graph.activation(time, 'silu'), 'time_projection.1', 6);
  const context = graph.input('context', [batch, text, config.contextWidth]);
  const ownText = layers.mlp(context, 'text_embedding.0', 'text_embedding.2', 'gelu_tanh');
  // Without a picture the layers for it look at the text, as in ComfyUI (WanI2VCrossAttention).
  const picture =
    config.pictureWidth === undefined
      ? undefined
      : !variant.picture
        ? ownText
        : embeddedPicture(
            layers,
            graph.input('picture', [batch, SymbolicDim.symbol('picture'), config.pictureWidth]),
          );
  const options = { heads, angles, modulation: projected, text: ownText, picture };
  const through = (path: string, given: Value) =>
    layers.within(path, () => block(layers, path, given, options));
  for (let index = 0; index < config.blocks; index++) {
    if (!variant.skipped.includes(index)) x = through(`blocks.${index}`, x);
    const own = vaceBlockBeside(config, index);
    if (own !== undefined) {
      x = throughVace(layers, own, beside, [x, embedded], (path, given) =>
        block(layers, path, given, options),
      );
    }
  }
  const [shift, scale] = offsets(layers, 'head.modulation', [time, time]);
  const normed = graph.modulate(layers.plainLayerNorm(x, EPSILON), scale!, shift);
  graph.output('out', layers.linear(normed, 'head.head'));
  return graph.build();
}

/** Values of a time with a table's rows added: 1×k×C, a row each. */
function offsets(layers: TransformerLayers, key: string, values: readonly Value[]): Value[] {
  const { graph, weights } = layers;
  const table = weights.weight(key);
  const width = table.shape.at(-1)!;
  const rows = reshape(table, [values.length, width]);
  return values.map((value, index) =>
    graph.addBroadcast(value, graph.constant(reshape(rowSlice(rows, index, 1), [1, 1, width]))),
  );
}

/** An encoded picture's tokens as the text's: comfy/ldm/wan/model.py, MLPProj. */
function embeddedPicture(layers: TransformerLayers, tokens: Value): Value {
  const { graph, weights } = layers;
  const placed = weights.has('img_emb.emb_pos') ? graph.addRows(tokens, rowsOfPositions(weights)) : tokens;
  const normed = layers.layerNorm(placed, 'img_emb.proj.0', 1e-5);
  const hidden = graph.activation(layers.linear(normed, 'img_emb.proj.1'), 'gelu');
  return layers.layerNorm(layers.linear(hidden, 'img_emb.proj.3'), 'img_emb.proj.4', 1e-5);
}

function rowsOfPositions(weights: WeightSource): Weight {
  const table = weights.weight('img_emb.emb_pos');
  return reshape(table, table.shape.slice(1));
}

interface BlockOptions {
  readonly heads: number;
  readonly angles: Angles;
  /** Shift, scale and gate of self-attention, then of the feed-forward layers. */
  readonly modulation: readonly Value[];
  readonly text: Value;
  readonly picture: Value | undefined;
}

function block(
  layers: TransformerLayers,
  path: string,
  x: Value,
  { heads, angles, modulation, text, picture }: BlockOptions,
): Value {
  const { graph } = layers;
  const [shift, scale, gate, mlpShift, mlpScale, mlpGate] = offsets(layers, `${path}.modulation`, modulation);
  // The norms are over all heads together.
  const normed = (value: Value, norm: string) => layers.rmsNorm(value, norm, { epsilon: EPSILON });
  const projected = (value: Value, attn: string, name: string) =>
    normed(layers.linear(value, `${attn}.${name}`), `${attn}.norm_${name}`);
  const turned = (value: Value) => graph.rotary(value, angles, { heads, pairs: 'neighbours' });

  const self = `${path}.self_attn`;
  const input = graph.modulate(layers.plainLayerNorm(x, EPSILON), scale!, shift);
  const attended = graph.attention(
    turned(projected(input, self, 'q')),
    turned(projected(input, self, 'k')),
    layers.linear(input, `${self}.v`),
    heads,
  );
  const afterSelf = graph.add(x, graph.gate(layers.linear(attended, `${self}.o`), gate!));

  const cross = `${path}.cross_attn`;
  const query = projected(layers.layerNorm(afterSelf, `${path}.norm3`, EPSILON), cross, 'q');
  const ofText = graph.attention(
    query,
    projected(text, cross, 'k'),
    layers.linear(text, `${cross}.v`),
    heads,
  );
  const ofBoth =
    picture === undefined
      ? ofText
      : graph.add(
          ofText,
          graph.attention(
            query,
            projected(picture, cross, 'k_img'),
            layers.linear(picture, `${cross}.v_img`),
            heads,
          ),
        );
  const afterCross = graph.add(afterSelf, layers.linear(ofBoth, `${cross}.o`));

  const mlpInput = graph.modulate(layers.plainLayerNorm(afterCross, EPSILON), mlpScale!, mlpShift);
  const change = layers.mlp(mlpInput, `${path}.ffn.0`, `${path}.ffn.2`, 'gelu_tanh');
  return graph.add(afterCross, graph.gate(change, mlpGate!));
}

function planWan(
  config: WanSizes,
  { x, timesteps, inputs }: Evaluation,
  changes: readonly ModelChange[],
): TransformerPlan<Variant> {
  const context = checkContext('wan', config.contextWidth, inputs);
  const { concat, picture, noise_mask: mask, subjects, reference, camera } = inputs;
  const whole = concat === undefined ? x : concatChannels(x, concat);
  if (whole.shape[1] !== config.inputs) {
    throw new ModelError(
      `this wan model sees ${config.inputs} channels, the latent and what lies beside it have ${whole.shape[1]}`,
    );
  }
  const own = gridOf(x, PATCH);
  const behindOwn = subjects === undefined ? 0 : gridOf(subjects, PATCH).frames;
  const seesReference = reference !== undefined && config.takesReference;
  const grid = { ...own, frames: own.frames + behindOwn + (seesReference ? 1 : 0) };
  const place = (frame: number, row: number, column: number) => [frame, row, column];
  const image = toPatches(whole, before);
  const films = vaceFilms(config, inputs);
  const seen = seesReference ? toPatches(reference, before) : undefined;
  const perFrame = own.rows * own.columns;
  for (const patches of [seen, subjects && toPatches(subjects, before)]) {
    if (patches === undefined || patches.shape[1]! % perFrame === 0) continue;
    throw new ModelError(
      `pictures that a wan model is shown have to be of its film's size, ${own.columns}×${own.rows} patches`,
    );
  }
  const pictureTokens = picturesSeen(config, picture);
  return {
    variant: {
      timed: mask === undefined ? 'alike' : 'by frame',
      picture: pictureTokens !== undefined,
      reference: seesReference,
      camera: camera !== undefined && config.cameraChannels !== undefined,
      vace: films.length,
      skipped: skippedBlocks(changes).double,
    },
    inputs: {
      image: subjects === undefined ? image : joinTokens(image, toPatches(subjects, before)),
      context,
      time:
        mask === undefined
          ? sinusoids(timesteps, timesteps.length, 1)
          : sinusoids(frameTimes(timesteps, mask, own.frames), timesteps.length, perFrame),
      ...angleTables([gridPositions(grid, config.axes.widths.length, place)], config.axes),
      ...(pictureTokens === undefined ? {} : { picture: pictureTokens }),
      ...(seen === undefined ? {} : { reference: seen }),
      ...Object.fromEntries(
        films.flatMap(({ patches, strength }, index) => [
          [`vace.${index}`, patches],
          [`vace_strength.${index}`, strength],
        ]),
      ),
    },
    ...(camera === undefined || config.cameraChannels === undefined
      ? {}
      : { first: cameraPath(config.cameraChannels, camera, image.shape) }),
    finish: (out) =>
      fromPatches(
        tokensFrom(out, seesReference ? perFrame : 0, tokenCount(own)),
        [x.shape[0]!, config.outputs, ...x.shape.slice(2)],
        behind,
      ),
  };
}

/** The encoded pictures' tokens that the model has layers, and positions, for. */
function picturesSeen(config: WanSizes, picture: Tensor | undefined): Tensor | undefined {
  if (picture === undefined || config.pictureWidth === undefined) return undefined;
  if (picture.shape[2] !== config.pictureWidth) {
    throw new ModelError(
      `this wan model takes encoded pictures of width ${config.pictureWidth}, these are ${picture.shape[2]} wide: encode them with its own image encoder`,
    );
  }
  const most = config.picturePositions ?? Infinity;
  return picture.shape[1]! > most ? tokensFrom(picture, 0, most) : picture;
}

/** The films beside, in patches, and their strengths for each row. */
function vaceFilms(
  { width, vace }: WanSizes,
  inputs: Evaluation['inputs'],
): readonly { readonly patches: Tensor; readonly strength: Tensor }[] {
  if (vace === undefined) return [];
  const strengths = inputs['vace_strength']?.data ?? new Float32Array();
  return [...strengths].flatMap((value, index) => {
    const film = inputs[`vace.${index}`];
    if (film === undefined) return [];
    const strength = tensor([film.shape[0]!, 1, width]);
    strength.data.fill(value);
    return [{ patches: toPatches(film, before), strength }];
  });
}

/** What runs before: a camera's path as tokens of the film's. */
function cameraPath(channels: number, camera: Tensor, [rows = 1, tokens = 0]: readonly number[]) {
  return {
    name: 'wan camera',
    graph: (weights: WeightSource) => cameraGraph(weights, channels),
    inputs: { camera: unshuffledFrames(camera) },
    take: (out: Tensor) => {
      const width = out.shape[2]!;
      if (out.data.length !== rows * tokens * width) {
        throw new ModelError(
          `the camera's path is of another size or length than the film: it comes to ${out.data.length / width / rows} tokens, the film has ${tokens}`,
        );
      }
      return { camera: tensor([rows, tokens, width], out.data) };
    },
  };
}

/** N×F: each frame's share of what is sampled, times the time (ComfyUI comfy/model_base.py, WAN22.process_timestep). */
function frameTimes(timesteps: Float32Array, { shape, data }: Tensor, frames: number): Float32Array {
  const rows = timesteps.length;
  const perFrame = data.length / shape[0]! / shape[1]! / frames;
  const times = new Float32Array(rows * frames);
  for (let row = 0; row < rows; row++) {
    for (let frame = 0; frame < frames; frame++) {
      const start = ((row % shape[0]!) * shape[1]! * frames + frame) * perFrame;
      let sum = 0;
      for (let at = 0; at < perFrame; at++) sum += data[start + at]!;
      times[row * frames + frame] = Math.fround(sum / perFrame) * timesteps[row]!;
    }
  }
  return times;
}

const { fround } = Math;

/** N×(times·each)×256: cosines, then sines of position · 10000^(−i/128), each as often as a frame has tokens. */
function sinusoids(times: Float32Array, rows: number, each: number): Tensor {
  const half = SINUSOID_WIDTH / 2;
  const frequencies = Float32Array.from({ length: half }, (_, index) => 10000 ** fround(-index / half));
  const embedding = tensor([rows, (times.length / rows) * each, SINUSOID_WIDTH]);
  const line = new Float32Array(SINUSOID_WIDTH);
  times.forEach((time, index) => {
    frequencies.forEach((frequency, at) => {
      const angle = fround(fround(time) * frequency);
      line[at] = Math.cos(angle);
      line[half + at] = Math.sin(angle);
    });
    for (let copy = 0; copy < each; copy++) embedding.data.set(line, (index * each + copy) * SINUSOID_WIDTH);
  });
  return embedding;
}
