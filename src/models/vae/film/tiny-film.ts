/**
 * Tiny autoencoders of films, TAEHV and its kin (taew2_1, lighttaew2_1, lighttaew2_2, …): a small approximation of a family's own, group of four
 * frames by group (ComfyUI comfy/taesd/taehv.py).
 */
import { evaluateDim, SymbolicDim } from '../../../compute/dim.js';
import { GraphBuilder, type Graph, type Value } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { ModelError } from '../../model-error.js';
import { graphOf } from '../../programs/model-graph.js';
import { Layers } from '../../programs/layers.js';
import type { ProgramCache } from '../../programs/program-cache.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { rowSlice } from '../../weights/weight-views.js';
import { cropped } from '../pixels.js';
import type { VaeModel } from '../vae-model.js';
import { frameOf, stacked } from './frames.js';

const GROUP = 4;
/** Of latents where the file's numbers are float16, which ComfyUI takes for HunyuanVideo's (comfy/latent_formats.py). */
const HUNYUAN_SCALE = 0.476986;

/** Whether `weights` are one (ComfyUI comfy/sd.py, VAE.__init__). */
export function isTinyFilm(weights: WeightSource): boolean {
  return weights.has('decoder.22.bias');
}

/** Throws `ModelError` for kinds with other layers. */
export function createTinyFilm(weights: WeightSource, programs: ProgramCache): VaeModel {
  const first = weights.weight('decoder.1.weight');
  const latentChannels = first.shape[1]!;
  if (latentChannels !== 16 && latentChannels !== 48) {
    throw new ModelError(
      `${weights.path} is a tiny autoencoder of films with ${latentChannels} channels, which is not supported; those of Wan (16 and 48 channels) are`,
    );
  }
  // Wan 2.2's pictures go through it with four pixels in one.
  const patch = latentChannels === 48 ? 2 : 1;
  const isHalf = latentChannels === 16 && first.stored?.dtype === 'F16';
  return new TinyFilm(weights, programs, { latentChannels, patch, scale: isHalf ? HUNYUAN_SCALE : 1 });
}

interface TinyFilmConfig {
  readonly latentChannels: number;
  /** Pixels a side that are one to the network. */
  readonly patch: number;
  readonly scale: number;
}

class TinyFilm implements VaeModel {
  readonly identity: string;
  readonly downscale: number;
  readonly latentChannels: number;
  readonly frameDownscale = GROUP;

  constructor(
    private readonly weights: WeightSource,
    private readonly programs: ProgramCache,
    private readonly config: TinyFilmConfig,
  ) {
    this.identity = weights.identity;
    this.downscale = 8 * config.patch;
    this.latentChannels = config.latentChannels;
  }

  async decode(latent: Tensor): Promise<Tensor> {
    const [count = 0, channels, ...extents] = latent.shape;
    const [frames = 1, height = 0, width = 0] = extents.length === 2 ? [1, ...extents] : extents;
    if (channels !== this.latentChannels || (extents.length !== 2 && extents.length !== 3)) {
      throw new RangeError(
        `a latent for this VAE has the shape [N, ${this.latentChannels}, frames, h, w], got [${latent.shape.join(', ')}]`,
      );
    }
    const { patch, scale } = this.config;
    const shown = frames * GROUP - (GROUP - 1);
    const [rows, columns] = [height * this.downscale, width * this.downscale];
    const images = tensor([count * shown, rows, columns, 3]);
    const film = tensor([1, channels, frames, height, width]);
    const size = film.data.length;
    for (let row = 0; row < count; row++) {
      film.data.set(latent.data.subarray(row * size, (row + 1) * size));
      if (scale !== 1) film.data.forEach((value, at) => (film.data[at] = value * Math.fround(scale)));
      const groups = Array.from({ length: frames }, (_, frame) => [frameOf(film, frame)]);
      const decoded = await this.code('decoder', groups);
      // What comes of a film's beginning, before there is something to look back on.
      decoded.slice(GROUP - 1).forEach((planes, frame) => {
        writePatches(planes, patch, images, row * shown + frame);
      });
    }
    return images;
  }

  async encode(image: Tensor): Promise<Tensor> {
    const [count = 0] = image.shape;
    const { patch, scale } = this.config;
    const groups = Array.from({ length: Math.ceil(count / GROUP) }, (_, group) =>
      Array.from({ length: GROUP }, (_each, index) =>
        patchesOf(cropped(image, Math.min(group * GROUP + index, count - 1), this.downscale), patch),
      ),
    );
    const latent = stacked(await this.code('encoder', groups));
    if (scale !== 1) latent.data.forEach((value, at) => (latent.data[at] = value / Math.fround(scale)));
    return latent;
  }

  private code(part: 'decoder' | 'encoder', groups: readonly (readonly Tensor[])[]): Promise<Tensor[]> {
    const graph = graphOf(this.weights, () =>
      part === 'decoder'
        ? buildDecoder(this.weights, this.config.latentChannels)
        : buildEncoder(this.weights, 3 * this.config.patch ** 2),
    );
    return this.programs.use(
      `tiny film ${part} ${this.identity}`,
      () => graph,
      async (program) => {
        const coded: Tensor[] = [];
        let memory: Readonly<Record<string, Tensor>> = {};
        for (const group of groups) {
          const [, , height = 0, width = 0] = group[0]!.shape;
          const inputs: Record<string, Tensor> = {};
          for (const { name, value } of graph.inputs) {
            const index = /^frame (\d)$/.exec(name)?.[1];
            inputs[name] =
              index === undefined
                ? (memory[name] ?? emptyMemory(value, height, width))
                : group[Number(index)]!;
          }
          const results = await program.run(inputs);
          const kept: Record<string, Tensor> = {};
          for (const { name } of graph.outputs) {
            if (name.startsWith('next ')) kept[name.slice('next '.length)] = results[name]!;
            else coded.push(results[name]!);
          }
          memory = kept;
        }
        return coded;
      },
    );
  }
}

/** Before the first group nothing is remembered: zeros. Sizes are those of the frames, times or by a power of two. */
function emptyMemory({ shape }: Value, height: number, width: number): Tensor {
  return tensor(shape.map((dim) => evaluateDim(dim, { H: height, W: width })));
}

class FilmLayers {
  readonly graph: GraphBuilder;
  private readonly layers: Layers;

  constructor(
    private readonly weights: WeightSource,
    private readonly part: 'decoder' | 'encoder',
  ) {
    this.graph = new GraphBuilder(`tiny film ${part}`);
    this.layers = new Layers(this.graph, weights);
  }

  conv(x: Value, index: number, stride = 1): Value {
    return this.layers.conv2d(x, `${this.part}.${index}`, { padding: 1, stride });
  }

  relu(x: Value): Value {
    return this.graph.activation(x, 'relu');
  }

  /** A block that sees each frame beside the one before it (class MemBlock). */
  remembering(frames: readonly Value[], index: number): Value[] {
    const path = `${this.part}.${index}.conv`;
    const memory = `memory ${index}`;
    const past = this.graph.input(memory, frames[0]!.shape);
    this.graph.output(`next ${memory}`, this.graph.scale(frames.at(-1)!, 1));
    return frames.map((frame, at) => {
      let x = this.graph.concat([frame, at === 0 ? past : frames[at - 1]!], 1);
      x = this.relu(this.layers.conv2d(x, `${path}.0`, { padding: 1 }));
      x = this.relu(this.layers.conv2d(x, `${path}.2`, { padding: 1 }));
      x = this.layers.conv2d(x, `${path}.4`, { padding: 1 });
      return this.relu(this.graph.add(x, frame));
    });
  }

  /** Each frame becomes several (class TGrow): parts of one layer's channels. */
  growing(frames: readonly Value[], index: number): Value[] {
    const weight = this.weights.weight(`${this.part}.${index}.conv.weight`);
    const channels = weight.shape[1]!;
    const count = weight.shape[0]! / channels;
    return frames.flatMap((frame) =>
      Array.from({ length: count }, (_, at) =>
        this.graph.conv2d(frame, rowSlice(weight, at * channels, channels), undefined, {}),
      ),
    );
  }

  /** Several frames become one (class TPool). */
  pooling(frames: readonly Value[], index: number): Value[] {
    const path = `${this.part}.${index}.conv`;
    const { shape } = this.weights.weight(`${path}.weight`);
    const together = shape[1]! / shape[0]!;
    return Array.from({ length: frames.length / together }, (_, at) => {
      const some = frames.slice(at * together, (at + 1) * together);
      return this.layers.conv2d(some.length === 1 ? some[0]! : this.graph.concat(some, 1), path);
    });
  }
}

/** Input `frame 0` 1×C×H×W, the latent's; outputs `pixels 0` to `pixels 3`. */
function buildDecoder(weights: WeightSource, channels: number): Graph {
  const layers = new FilmLayers(weights, 'decoder');
  const { graph } = layers;
  const latent = graph.input('frame 0', [1, channels, symbol('H'), symbol('W')]);
  // Squeezes latents into [−3, 3] (class Clamp).
  const clamped = graph.scale(graph.activation(graph.scale(latent, 1 / 3), 'tanh'), 3);
  let frames = [layers.relu(layers.conv(clamped, 1))];
  for (const first of [3, 9, 15]) {
    for (let index = first; index < first + 3; index++) frames = layers.remembering(frames, index);
    frames = layers.growing(
      frames.map((frame) => graph.upsampleNearest(frame, 2)),
      first + 4,
    );
    frames = frames.map((frame) => layers.conv(frame, first + 5));
  }
  frames.forEach((frame, index) => {
    graph.output(`pixels ${index}`, layers.conv(layers.relu(frame), 22));
  });
  return graph.build();
}

/** Inputs `frame 0` to `frame 3` 1×C×8H×8W; output `latent 0`. */
function buildEncoder(weights: WeightSource, channels: number): Graph {
  const layers = new FilmLayers(weights, 'encoder');
  const { graph } = layers;
  const [height, width] = [symbol('H'), symbol('W')];
  let frames = Array.from({ length: GROUP }, (_, index) => {
    const pixels = graph.input(`frame ${index}`, [1, channels, height, width]);
    return layers.relu(layers.conv(pixels, 0));
  });
  for (const first of [2, 7, 12]) {
    frames = layers.pooling(frames, first).map((frame) => layers.conv(frame, first + 1, 2));
    for (let index = first + 2; index < first + 5; index++) frames = layers.remembering(frames, index);
  }
  frames.forEach((frame, index) => {
    graph.output(`latent ${index}`, layers.conv(frame, 17));
  });
  return graph.build();
}

function symbol(name: string): SymbolicDim {
  return SymbolicDim.symbol(name);
}

/** Planes 1×(3·p·p)×h×w as picture `index` of N×hp×wp×3, as they are. */
function writePatches(planes: Tensor, patch: number, images: Tensor, index: number): void {
  const [, rows = 0, columns = 0] = images.shape;
  const [, , , width = 0] = planes.shape;
  const area = planes.data.length / (3 * patch * patch);
  let target = index * rows * columns * 3;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const within = (y % patch) * patch + (x % patch);
      const at = Math.floor(y / patch) * width + Math.floor(x / patch);
      for (let colour = 0; colour < 3; colour++) {
        images.data[target++] = planes.data[(colour * patch * patch + within) * area + at]!;
      }
    }
  }
}

/** A picture 1×H×W×3 as planes 1×(3·p·p)×H/p×W/p. */
function patchesOf({ shape: [, rows = 0, columns = 0], data }: Tensor, patch: number): Tensor {
  const [height, width] = [rows / patch, columns / patch];
  const planes = tensor([1, 3 * patch * patch, height, width]);
  let target = 0;
  for (let plane = 0; plane < 3 * patch * patch; plane++) {
    const [colour, within] = [Math.floor(plane / patch ** 2), plane % patch ** 2];
    const [top, left] = [Math.floor(within / patch), within % patch];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        planes.data[target++] = data[((y * patch + top) * columns + x * patch + left) * 3 + colour]!;
      }
    }
  }
  return planes;
}
