/** Enlarging pictures with a network, tile by tile (ComfyUI comfy_extras/nodes_upscale_model.py, ImageUpscaleWithModel). */
import type { Program } from '../../compute/backend.js';
import { bindDims } from '../../compute/cost.js';
import { peakBytes } from '../../compute/peak-memory.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import { isOutOfMemory, type ProgramCache } from '../programs/program-cache.js';
import { tileCount, tiledScale } from '../programs/tiling.js';
import type { WeightSource } from '../weights/weight-source.js';
import { recogniseUpscaler } from './families.js';
import type { UpscaleNetwork } from './network.js';
import { cropTo, padToMultiple, padToRequirements } from './padding.js';

export interface UpscaleOptions {
  /** Looked at before each tile; the rejection is its reason. */
  readonly signal?: AbortSignal;
  /** Told after each tile, of how many in all. Starts again with a larger total where memory asks for smaller tiles. */
  readonly onTile?: (done: number, total: number) => void;
}

/** A network that enlarges pictures. */
export interface Upscaler {
  /** Changes exactly when results would. */
  readonly identity: string;
  /** `ESRGAN`, `Compact`, … */
  readonly architecture: string;
  /** Output pixels per input pixel along a side. */
  readonly scale: number;
  /** Of the pictures that it takes: 3, and 1 or 4 of few. */
  readonly inputChannels: number;
  /**
   * N×H×W×C in [0, 1] → N×(H·scale)×(W·scale)×C' in [0, 1]. Rejects with `ModelError` for pictures that the model can't take,
   * and with what the backend says when memory is short even for the smallest tiles.
   */
  upscale(images: Tensor, options?: UpscaleOptions): Promise<Tensor>;
}

export interface UpscalerOptions {
  /** Bytes that a tile may take; left out, what the programs' backend has free when a picture is enlarged. */
  readonly memoryLimit?: number;
  /** Told when tiles are smaller than usual, and why. */
  readonly notify?: (message: string) => void;
}

const largestTile = 512;
const smallestTile = 128;
const overlap = 32;

/** The upscaler that a file's weights are. Throws `ModelError` when they are of no known family. */
export function createUpscaler(
  weights: WeightSource,
  programs: ProgramCache,
  options: UpscalerOptions = {},
): Upscaler {
  return new NetworkUpscaler(weights, recogniseUpscaler(weights), programs, options);
}

class NetworkUpscaler implements Upscaler {
  readonly identity: string;
  readonly architecture: string;
  readonly scale: number;
  readonly inputChannels: number;

  constructor(
    private readonly weights: WeightSource,
    private readonly network: UpscaleNetwork,
    private readonly programs: ProgramCache,
    private readonly options: UpscalerOptions,
  ) {
    this.identity = `upscaler ${weights.identity}`;
    this.architecture = network.architecture;
    this.scale = network.scale;
    this.inputChannels = network.inputChannels;
  }

  async upscale(images: Tensor, options: UpscaleOptions = {}): Promise<Tensor> {
    const [count = 0, height = 0, width = 0, channels = 0] = images.shape;
    const { inputChannels, outputChannels } = this.network;
    if (images.shape.length !== 4 || channels !== inputChannels) {
      throw new ModelError(
        `${this.weights.path} takes pictures of ${inputChannels} channels, got [${images.shape.join(', ')}]`,
      );
    }
    const result = tensor([count, height * this.scale, width * this.scale, outputChannels]);
    return this.programs.use(
      this.identity,
      () => graphOf(this.weights, () => this.network.graph()),
      async (program) => {
        for (let tile = this.firstTile(height, width); ; tile = Math.floor(tile / 2)) {
          try {
            await this.inTiles(program, images, result, tile, options);
            return result;
          } catch (error) {
            if (!isOutOfMemory(error) || Math.floor(tile / 2) < smallestTile) throw error;
            this.options.notify?.(`upscaling in tiles of ${Math.floor(tile / 2)}: memory is short`);
          }
        }
      },
    );
  }

  private async inTiles(
    program: Program,
    images: Tensor,
    result: Tensor,
    side: number,
    { signal, onTile }: UpscaleOptions,
  ): Promise<void> {
    const [count = 0, height = 0, width = 0] = images.shape;
    const tile = { height: side, width: side, overlap };
    const total = count * tileCount(height, width, tile);
    let done = 0;
    const network = async (part: Tensor): Promise<Tensor> => {
      signal?.throwIfAborted();
      const enlarged = await this.run(program, part);
      onTile?.(++done, total);
      return enlarged;
    };
    const scale = { factor: this.scale, channels: this.network.outputChannels };
    for (let index = 0; index < count; index++) {
      const enlarged = await tiledScale(planesOf(images, index), network, tile, scale);
      writePicture(enlarged, result, index);
    }
  }

  /** One tile, 1×C×H×W, through the network: extended to what it can take, cut again, within [0, 1]. */
  private async run(program: Program, tile: Tensor): Promise<Tensor> {
    const {
      minimumSide,
      multipleOf,
      windowMultiple = 1,
      windowPadding = 'reflect',
      extraInputs,
    } = this.network;
    const [, , height = 0, width = 0] = tile.shape;
    const required = padToRequirements(tile, minimumSide, multipleOf);
    const x = padToMultiple(required, windowMultiple, windowPadding);
    const { y } = await program.run({ x, ...extraInputs?.(x, required.shape) });
    const data = y!.data;
    for (let at = 0; at < data.length; at++) data[at] = Math.min(Math.max(data[at]!, 0), 1);
    return cropTo(y!, height * this.scale, width * this.scale);
  }

  /** The largest tile whose values fit in memory. */
  private firstTile(height: number, width: number): number {
    const graph = this.network.graph();
    const free = this.options.memoryLimit ?? this.programs.runBytes();
    const needed = (side: number): number => {
      const sides = [side, side].map((extent, axis) => Math.min(extent, axis === 0 ? height : width));
      return peakBytes(graph, bindDims(graph, { x: [1, this.network.inputChannels, ...sides] }));
    };
    let tile = largestTile;
    while (needed(tile) > free && Math.floor(tile / 2) >= smallestTile) tile = Math.floor(tile / 2);
    if (tile < largestTile && tile < Math.max(height, width)) {
      const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
      this.options.notify?.(
        `upscaling in tiles of ${tile}: tiles of ${largestTile} would take about ${gigabytes(needed(largestTile))}, ${gigabytes(free)} are free`,
      );
    }
    return tile;
  }
}

/** Picture `index` as 1×C×H×W. */
function planesOf(images: Tensor, index: number): Tensor {
  const [, height = 0, width = 0, channels = 0] = images.shape;
  const pixels = height * width;
  const planes = tensor([1, channels, height, width]);
  const start = index * pixels * channels;
  for (let channel = 0; channel < channels; channel++) {
    const plane = planes.data.subarray(channel * pixels, (channel + 1) * pixels);
    for (let pixel = 0; pixel < pixels; pixel++)
      plane[pixel] = images.data[start + pixel * channels + channel]!;
  }
  return planes;
}

function writePicture(planes: Tensor, images: Tensor, index: number): void {
  const [, channels = 0, height = 0, width = 0] = planes.shape;
  const pixels = height * width;
  const start = index * pixels * channels;
  for (let channel = 0; channel < channels; channel++) {
    const plane = planes.data.subarray(channel * pixels, (channel + 1) * pixels);
    for (let pixel = 0; pixel < pixels; pixel++) {
      // Blended tiles may leave [0, 1] by a rounding.
      images.data[start + pixel * channels + channel] = Math.min(Math.max(plane[pixel]!, 0), 1);
    }
  }
}
