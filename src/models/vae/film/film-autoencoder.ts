/** Autoencoders of films, Wan's and Qwen-Image's: frame by frame, with what each layer remembers of the frames before. */
import type { Program } from '../../../compute/backend.js';
import { evaluateDim } from '../../../compute/dim.js';
import type { Graph } from '../../../compute/graph.js';
import { tensor, type Tensor } from '../../../compute/tensor.js';
import type { ProgramCache } from '../../programs/program-cache.js';
import { graphOf } from '../../programs/model-graph.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { workingBytes } from '../memory.js';
import { planesOf, writeImage } from '../pixels.js';
import type { TileOptions, VaeModel } from '../vae-model.js';
import { wholeOrTiled, type AutoencoderOptions } from '../whole-or-tiled.js';
import { next, type FilmPlace } from './causal-layers.js';
import { frameOf, stacked } from './frames.js';
import { tiledFrames, type AxisTiles } from './tiled-frames.js';
import { frameDownscale, readWanConfig, type WanConfig } from './wan-config.js';
import { buildWanDecoder, buildWanEncoder } from './wan-graph.js';

/** What ComfyUI falls back to when memory is short, in pixels (comfy/sd.py, decode and encode). */
const fallbackTiles: TileOptions = { tileSize: 256, overlap: 64 };

/** A network of it. */
interface Part {
  readonly name: 'encoder' | 'decoder';
  readonly input: 'pixels' | 'latent';
  readonly output: 'pixels' | 'latent';
  /** Frames of a later group, in and out. */
  readonly taken: number;
  readonly build: (place: FilmPlace) => Graph;
}

/** The autoencoder of films that `weights` are. Throws `ModelError` when they are something else. */
export function createFilmAutoencoder(
  weights: WeightSource,
  programs: ProgramCache,
  options: AutoencoderOptions,
): VaeModel {
  return new FilmAutoencoder(weights, readWanConfig(weights), programs, options);
}

class FilmAutoencoder implements VaeModel {
  readonly identity: string;
  readonly downscale: number;
  readonly latentChannels: number;
  readonly frameDownscale = frameDownscale;
  private readonly decoder: Part;
  private readonly encoder: Part;

  constructor(
    private readonly weights: WeightSource,
    config: WanConfig,
    private readonly programs: ProgramCache,
    private readonly options: AutoencoderOptions,
  ) {
    this.identity = weights.identity;
    this.downscale = config.downscale;
    this.latentChannels = config.latentChannels;
    const graph = (build: typeof buildWanDecoder) => {
      const built = new Map<FilmPlace, Graph>();
      return (place: FilmPlace) => {
        const made = built.get(place) ?? graphOf(weights, () => build(config, weights, place));
        built.set(place, made);
        return made;
      };
    };
    this.decoder = {
      name: 'decoder',
      input: 'latent',
      output: 'pixels',
      taken: 1,
      build: graph(buildWanDecoder),
    };
    this.encoder = {
      name: 'encoder',
      input: 'pixels',
      output: 'latent',
      taken: frameDownscale,
      build: graph(buildWanEncoder),
    };
  }

  async decode(latent: Tensor, tiles?: TileOptions): Promise<Tensor> {
    const [count = 0, channels, ...extents] = latent.shape;
    const [frames, height, width] = (extents.length === 2 ? [1, ...extents] : extents) as [
      number,
      number,
      number,
    ];
    if (channels !== this.latentChannels || (extents.length !== 2 && extents.length !== 3)) {
      throw new RangeError(
        `a latent for this VAE has the shape [N, ${this.latentChannels}, frames, h, w], got [${latent.shape.join(', ')}]`,
      );
    }
    const shown = (frames - 1) * frameDownscale + 1;
    const images = tensor([count * shown, height * this.downscale, width * this.downscale, 3]);
    const size = latent.data.length / count;
    for (let row = 0; row < count; row++) {
      const film = tensor(
        [1, channels, frames, height, width],
        latent.data.slice(row * size, (row + 1) * size),
      );
      const pixels = await this.decodeFilm(film, tiles);
      for (let frame = 0; frame < shown; frame++) {
        writeImage(frameOf(pixels, frame), images, row * shown + frame);
      }
    }
    return images;
  }

  /** Pictures are the frames of one film, but for those behind the last whole group of four. */
  async encode(image: Tensor, tiles?: TileOptions): Promise<Tensor> {
    const [count = 0] = image.shape;
    const kept = 1 + Math.floor((count - 1) / frameDownscale) * frameDownscale;
    const planes = Array.from({ length: kept }, (_, frame) => planesOf(image, frame, this.downscale));
    const film = stacked(planes);
    const [, , , height = 0, width = 0] = film.shape;
    const inTiles = ({ tileSize, overlap, temporalSize, temporalOverlap }: TileOptions) => {
      const tile = temporalSize === undefined ? 9999 : Math.max(2, latentFrames(temporalSize));
      const behind =
        temporalOverlap === undefined
          ? 1
          : shownFrames(Math.max(1, Math.min(Math.floor(tile / 2), latentFrames(temporalOverlap))));
      const side: AxisTiles = {
        tile: tileSize,
        overlap,
        length: (pixels) => pixels / this.downscale,
        start: (pixel) => pixel / this.downscale,
      };
      const time: AxisTiles = {
        tile: shownFrames(tile),
        overlap: behind,
        length: latentFrames,
        start: (frame) => frame / frameDownscale,
      };
      return tiledFrames(
        film,
        (part) => this.code(this.encoder, part),
        [time, side, side],
        this.latentChannels,
      );
    };
    if (tiles !== undefined) return inTiles(tiles);
    const needed = workingBytes(this.weights.weight('encoder.conv1.weight').shape[0]!, height * width * 3);
    return wholeOrTiled(
      this.programs,
      this.options,
      { what: 'encoding', whole: 'whole frames', needed },
      () => this.code(this.encoder, film),
      () => inTiles(fallbackTiles),
    );
  }

  private decodeFilm(film: Tensor, tiles: TileOptions | undefined): Promise<Tensor> {
    const [, , , height = 0, width = 0] = film.shape;
    const inTiles = ({ tileSize, overlap, temporalSize, temporalOverlap }: TileOptions) => {
      const tile = temporalSize === undefined ? 999 : Math.max(2, Math.floor(temporalSize / frameDownscale));
      const behind =
        temporalSize === undefined || temporalOverlap === undefined
          ? 1
          : Math.max(
              1,
              Math.min(
                Math.floor(tile / 2),
                Math.floor(
                  (temporalSize < temporalOverlap * 2 ? Math.floor(temporalOverlap / 2) : temporalOverlap) /
                    frameDownscale,
                ),
              ),
            );
      const side: AxisTiles = {
        tile: Math.floor(tileSize / this.downscale),
        overlap: Math.floor(overlap / this.downscale),
        length: (entries) => entries * this.downscale,
        start: (entry) => entry * this.downscale,
      };
      const time: AxisTiles = {
        tile,
        overlap: behind,
        length: shownFrames,
        start: (frame) => frame * frameDownscale,
      };
      return tiledFrames(film, (part) => this.code(this.decoder, part), [time, side, side], 3);
    };
    if (tiles !== undefined) return inTiles(tiles);
    const pixels = height * width * this.downscale ** 2;
    const needed = workingBytes(this.weights.weight('decoder.head.0.gamma').shape[0]!, pixels * 3);
    return wholeOrTiled(
      this.programs,
      this.options,
      { what: 'decoding', whole: 'whole frames', needed },
      () => this.code(this.decoder, film),
      () => inTiles(fallbackTiles),
    );
  }

  /** A film 1×C×F×h×w through a network, the first frame alone, then group by group. */
  private async code(part: Part, film: Tensor): Promise<Tensor> {
    const [, , frames = 0] = film.shape;
    if (frames === 1) {
      const result = await this.run(part, 'only', [frameOf(film, 0)], new Map());
      return stacked(result.frames);
    }
    const coded: Tensor[] = [];
    let memory: ReadonlyMap<string, Tensor> = new Map();
    for (let frame = 0; frame < frames;) {
      const place = frame === 0 ? 'first' : 'later';
      const taken = frame === 0 ? 1 : part.taken;
      const group = Array.from({ length: taken }, (_, index) => frameOf(film, frame + index));
      const result = await this.run(part, place, group, memory);
      coded.push(...result.frames);
      memory = result.memory;
      frame += taken;
    }
    return stacked(coded);
  }

  private run(
    part: Part,
    place: FilmPlace,
    frames: readonly Tensor[],
    memory: ReadonlyMap<string, Tensor>,
  ): Promise<{ readonly frames: readonly Tensor[]; readonly memory: ReadonlyMap<string, Tensor> }> {
    const graph = part.build(place);
    return this.programs.use(
      `vae ${part.name} ${place} ${this.identity}`,
      () => graph,
      async (program: Program) => {
        const [, , H = 0, W = 0] = frames[0]!.shape;
        const inputs: Record<string, Tensor> = {};
        for (const { name, value } of graph.inputs) {
          const index = name.startsWith(`${part.input} `)
            ? Number(name.slice(part.input.length + 1))
            : undefined;
          inputs[name] =
            index === undefined
              ? (memory.get(name) ?? tensor(value.shape.map((dim) => evaluateDim(dim, { H, W }))))
              : frames[index]!;
        }
        const results = await program.run(inputs);
        const coded: Tensor[] = [];
        const kept = new Map<string, Tensor>();
        for (const { name } of graph.outputs) {
          if (name.startsWith(next)) kept.set(name.slice(next.length), results[name]!);
          else coded.push(results[name]!);
        }
        return { frames: coded, memory: kept };
      },
    );
  }
}

/** Frames of a latent that so many frames of a film become. */
function latentFrames(frames: number): number {
  return Math.max(0, Math.floor((frames + 3) / frameDownscale));
}

/** Frames of a film that so many of a latent become. */
function shownFrames(frames: number): number {
  return Math.max(0, frames * frameDownscale - 3);
}
