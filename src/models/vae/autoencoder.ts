import { tensor, type Tensor } from '../../compute/tensor.js';
import type { Program } from '../../compute/backend.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import { diffusersLayout } from './diffusers-layout.js';
import { createFilmAutoencoder } from './film/film-autoencoder.js';
import { createTinyFilm, isTinyFilm } from './film/tiny-film.js';
import { isWan } from './film/wan-config.js';
import { klNetworks, withPlainQuantNames } from './kl-networks.js';
import { planesOf, writeImage } from './pixels.js';
import { mean, tiledScale, type TileScale, type TileSize } from '../programs/tiling.js';
import { isTiny, tinyNetworks } from './tiny-networks.js';
import type { TileOptions, VaeModel } from './vae-model.js';
import type { VaeNetwork, VaeNetworks } from './vae-networks.js';
import { wholeOrTiled, type AutoencoderOptions } from './whole-or-tiled.js';

/** What ComfyUI falls back to when memory is short, in pixels (comfy/sd.py, decode_tiled_ and encode_tiled_). */
const defaultDecodeTiles: TileOptions = { tileSize: 512, overlap: 128 };
const defaultEncodeTiles: TileOptions = { tileSize: 512, overlap: 64 };

/**
 * The autoencoder that `weights` are: Stable Diffusion's or Flux's, in its own layout of keys or diffusers', one of films, or a tiny one. Throws `ModelError` when they
 * are something else. Images are coded one after another, so that a batch takes no more memory than one.
 */
export function createAutoencoder(
  weights: WeightSource,
  programs: ProgramCache,
  options: AutoencoderOptions = {},
): VaeModel {
  if (isTinyFilm(weights)) return createTinyFilm(weights, programs);
  if (isWan(weights)) return createFilmAutoencoder(weights, programs, options);
  const { own, networks } = readAutoencoder(weights);
  return new Autoencoder(own, networks, programs, options);
}

/** The networks of an autoencoder, and its weights under the keys that these take. Throws `ModelError` as above. */
export function readAutoencoder(weights: WeightSource): {
  readonly own: WeightSource;
  readonly networks: VaeNetworks;
} {
  if (isTiny(weights)) return { own: weights, networks: tinyNetworks(weights) };
  const own = withPlainQuantNames(diffusersLayout(weights));
  return { own, networks: klNetworks(own) };
}

/** Of latents of films, the first frame. */
function firstFrames(latent: Tensor): Tensor {
  const [count = 0, channels = 0, frames = 0, height = 0, width = 0] = latent.shape;
  if (latent.shape.length !== 5) return latent;
  const first = tensor([count, channels, height, width]);
  const area = height * width;
  for (let plane = 0; plane < count * channels; plane++) {
    const from = plane * frames * area;
    first.data.set(latent.data.subarray(from, from + area), plane * area);
  }
  return first;
}

type Network = (planes: Tensor) => Promise<Tensor>;

class Autoencoder implements VaeModel {
  readonly identity: string;
  readonly downscale: number;
  readonly latentChannels: number;

  constructor(
    private readonly weights: WeightSource,
    private readonly networks: VaeNetworks,
    private readonly programs: ProgramCache,
    private readonly options: AutoencoderOptions,
  ) {
    this.identity = weights.identity;
    this.downscale = networks.downscale;
    this.latentChannels = networks.latentChannels;
  }

  async decode(given: Tensor, tiles?: TileOptions): Promise<Tensor> {
    const latent = firstFrames(given);
    const [count = 0, channels, height = 0, width = 0] = latent.shape;
    if (latent.shape.length !== 4 || channels !== this.latentChannels) {
      throw new RangeError(
        `a latent for this VAE has the shape [N, ${this.latentChannels}, h, w], got [${latent.shape.join(', ')}]`,
      );
    }
    const images = tensor([count, height * this.downscale, width * this.downscale, 3]);
    const size = latent.data.length / count;
    await this.withDecoder(async (network) => {
      for (let index = 0; index < count; index++) {
        const row = tensor([1, channels, height, width], latent.data.slice(index * size, (index + 1) * size));
        writeImage(await this.decodeOne(network, row, tiles), images, index);
      }
    });
    return images;
  }

  async encode(image: Tensor, tiles?: TileOptions): Promise<Tensor> {
    const [count = 0] = image.shape;
    const latents: Tensor[] = [];
    await this.withEncoder(async (network) => {
      for (let index = 0; index < count; index++) {
        const planes = planesOf(image, index, this.downscale);
        latents.push(await this.encodeOne(network, planes, tiles));
      }
    });
    const [, ...shape] = latents[0]?.shape ?? [];
    const all = tensor([count, ...shape]);
    latents.forEach(({ data }, index) => {
      all.data.set(data, index * data.length);
    });
    return all;
  }

  private decodeOne(network: Network, latent: Tensor, tiles: TileOptions | undefined): Promise<Tensor> {
    const scale: TileScale = { factor: this.downscale, channels: 3 };
    const inTiles = (options: TileOptions) => {
      // VAEDecodeTiled keeps at least half of each tile to itself (ComfyUI nodes.py).
      const overlap = Math.min(options.overlap, Math.floor(options.tileSize / 4));
      const side = Math.floor(options.tileSize / this.downscale);
      const [square, tall, wide] = tileShapes(side, Math.floor(overlap / this.downscale));
      return passes(latent, network, [tall, wide, square], scale);
    };
    if (tiles !== undefined) return inTiles(tiles);
    const [, , height = 0, width = 0] = latent.shape;
    const needed = this.networks.decoder.runBytes(height, width);
    return wholeOrTiled(
      this.programs,
      this.options,
      { what: 'decoding', whole: 'the whole image', needed },
      () => network(latent),
      () => inTiles(defaultDecodeTiles),
    );
  }

  private encodeOne(network: Network, planes: Tensor, tiles: TileOptions | undefined): Promise<Tensor> {
    const scale: TileScale = { factor: 1 / this.downscale, channels: this.latentChannels };
    const inTiles = ({ tileSize, overlap }: TileOptions) => {
      const [square, tall, wide] = tileShapes(tileSize, overlap);
      return passes(planes, network, [square, wide, tall], scale);
    };
    if (tiles !== undefined) return inTiles(tiles);
    const [, , height = 0, width = 0] = planes.shape;
    const needed = this.networks.encoder.runBytes(height, width);
    return wholeOrTiled(
      this.programs,
      this.options,
      { what: 'encoding', whole: 'the whole image', needed },
      () => network(planes),
      () => inTiles(defaultEncodeTiles),
    );
  }

  private withDecoder(body: (network: Network) => Promise<void>): Promise<void> {
    return this.programs.use(
      `vae decoder ${this.identity}`,
      () => graphOf(this.weights, this.networks.decoder.build),
      (program) => body(running(this.networks.decoder, program, 'latent', 'pixels')),
    );
  }

  private withEncoder(body: (network: Network) => Promise<void>): Promise<void> {
    return this.programs.use(
      `vae encoder ${this.identity}`,
      () => graphOf(this.weights, this.networks.encoder.build),
      (program) => body(running(this.networks.encoder, program, 'pixels', 'latent')),
    );
  }
}

function running({ before, after }: VaeNetwork, program: Program, input: string, output: string): Network {
  return async (planes) => {
    const result = (await program.run({ [input]: before?.(planes) ?? planes }))[output]!;
    return after?.(result) ?? result;
  };
}

/** Square tiles, tall ones and wide ones of the same area. */
function tileShapes(side: number, overlap: number): readonly [TileSize, TileSize, TileSize] {
  const half = Math.floor(side / 2);
  return [
    { height: side, width: side, overlap },
    { height: side * 2, width: half, overlap },
    { height: half, width: side * 2, overlap },
  ];
}

/** The mean over tiles of three shapes hides their seams (ComfyUI comfy/sd.py, decode_tiled_ and encode_tiled_). */
async function passes(
  input: Tensor,
  network: Network,
  shapes: readonly TileSize[],
  scale: TileScale,
): Promise<Tensor> {
  const results: Tensor[] = [];
  for (const shape of shapes) results.push(await tiledScale(input, network, shape, scale));
  return mean(results);
}
