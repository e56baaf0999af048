import type { WeightSource } from '../weights/weight-source.js';
import { detectVae } from './config.js';
import { decodeBytes, encodeBytes } from './memory.js';
import { buildDecoderGraph, buildEncoderGraph } from './vae-graph.js';
import type { VaeNetworks } from './vae-networks.js';

/** Stable Diffusion's autoencoder, in its own layout of keys. Throws `ModelError` when `weights` are something else. */
export function klNetworks(weights: WeightSource): VaeNetworks {
  const config = detectVae(weights);
  return {
    downscale: 2 ** (config.levels - 1),
    latentChannels: config.latentChannels,
    decoder: {
      build: () => buildDecoderGraph(config, weights),
      runBytes: (height, width) => decodeBytes(weights, config, height, width),
    },
    encoder: {
      build: () => buildEncoderGraph(config, weights),
      runBytes: (height, width) => encodeBytes(weights, height, width),
    },
  };
}
