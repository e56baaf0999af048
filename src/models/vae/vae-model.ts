import type { Tensor } from '../../compute/tensor.js';

/** Tile sizes in pixels, as VAEDecodeTiled and VAEEncodeTiled take them. */
export interface TileOptions {
  readonly tileSize: number;
  readonly overlap: number;
  /** Of films, frames of a tile and how many of them two share; all at once when left out. */
  readonly temporalSize?: number;
  readonly temporalOverlap?: number;
}

/** An autoencoder. Light and immutable: weights are read at first use; encoder and decoder load apart. */
export interface VaeModel {
  readonly identity: string;
  /** Pixels per latent pixel along each axis (8). */
  readonly downscale: number;
  readonly latentChannels: number;
  /** Frames that one of a latent stands for, but for the first: of autoencoders of films, whose latents are N×C×F×h×w. */
  readonly frameDownscale?: number;
  /**
   * Latents N×C×h×w to images N×H×W×3 in [0, 1]; tiled by itself when whole would take too much memory. Films, N×C×F×h×w, become all
   * their frames; of a latent of several, autoencoders of pictures take the first.
   */
  decode(latent: Tensor, tiles?: TileOptions): Promise<Tensor>;
  /** Images N×H×W×3 in [0, 1] (H, W cropped to multiples of `downscale`, centred) to latents N×C×h×w (the mean). For autoencoders of films they are the frames of one, 1×C×F×h×w. */
  encode(image: Tensor, tiles?: TileOptions): Promise<Tensor>;
}
