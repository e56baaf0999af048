import type { Tensor } from '../../compute/tensor.js';

/** Tile sizes in pixels, as VAEDecodeTiled and VAEEncodeTiled take them. */
export interface TileOptions {
  readonly tileSize: number;
  readonly overlap: number;
}

/** An autoencoder. Light and immutable: weights are read at first use; encoder and decoder load apart. */
export interface VaeModel {
  readonly identity: string;
  /** Pixels per latent pixel along each axis (8). */
  readonly downscale: number;
  readonly latentChannels: number;
  /** Latents N×C×h×w to images N×H×W×3 in [0, 1]; tiled by itself when whole would take too much memory. */
  decode(latent: Tensor, tiles?: TileOptions): Promise<Tensor>;
  /** Images N×H×W×3 in [0, 1] (H, W cropped to multiples of `downscale`, centred) to latents N×C×h×w (the mean). */
  encode(image: Tensor, tiles?: TileOptions): Promise<Tensor>;
}
