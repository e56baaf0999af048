/** Reads a Wan autoencoder's layout off its keys and shapes (ComfyUI comfy/sd.py, VAE.__init__). */
import type { WeightSource } from '../../weights/weight-source.js';

export interface WanConfig {
  /** Wan 2.2's: pixels in patches of 2×2, blocks with shortcuts past them. */
  readonly nested: boolean;
  readonly latentChannels: number;
  /** Channels of a picture to the encoder, and from the decoder; before patches are cut. */
  readonly pictureChannels: number;
  readonly outputChannels: number;
  /** Pixels per latent pixel along each axis. */
  readonly downscale: number;
}

/** Frames of a film that one of a latent stands for, but for the first. */
export const frameDownscale = 4;

export function isWan(weights: WeightSource): boolean {
  return weights.has('decoder.middle.0.residual.0.gamma');
}

export function readWanConfig(weights: WeightSource): WanConfig {
  const nested = weights.has('decoder.upsamples.0.upsamples.0.residual.2.weight');
  const rows = (key: string, axis: number) => weights.weight(key).shape[axis]!;
  const patch = nested ? 4 : 1;
  return {
    nested,
    latentChannels: rows('conv2.weight', 0),
    pictureChannels: rows('encoder.conv1.weight', 1) / patch,
    outputChannels: rows('decoder.head.2.weight', 0) / patch,
    downscale: nested ? 16 : 8,
  };
}
