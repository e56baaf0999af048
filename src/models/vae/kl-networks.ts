import type { WeightSource } from '../weights/weight-source.js';
import { derived } from '../weights/weight-views.js';
import { detectVae } from './config.js';
import { readLatentNorm } from './latent-norm.js';
import { decodeBytes, encodeBytes } from './memory.js';
import { buildDecoderGraph, buildEncoderGraph } from './vae-graph.js';
import type { VaeNetworks } from './vae-networks.js';

/** Stable Diffusion's autoencoder, or one of its kin, in its own layout of keys. Throws `ModelError` when `weights` are something else. */
export function klNetworks(weights: WeightSource): VaeNetworks {
  const config = detectVae(weights);
  const norm = readLatentNorm(weights);
  // Patches of 2×2 pixels where latents are normalised.
  const patch = norm === undefined ? 1 : 2;
  return {
    downscale: 2 ** (config.levels - 1) * patch,
    latentChannels: config.latentChannels * patch ** 2,
    decoder: {
      build: () => buildDecoderGraph(config, weights),
      runBytes: (height, width) => decodeBytes(weights, config, height * patch, width * patch),
      ...(norm === undefined ? {} : { before: norm.toDecoder }),
    },
    encoder: {
      build: () => buildEncoderGraph(config, weights),
      runBytes: (height, width) => encodeBytes(weights, height, width),
      ...(norm === undefined ? {} : { after: norm.fromEncoder }),
    },
  };
}

/** Files that keep the convolutions beside the latent with the network on their side (ComfyUI comfy/sd.py, VAE.__init__). */
export function withPlainQuantNames(weights: WeightSource): WeightSource {
  if (!weights.has('decoder.post_quant_conv.weight')) return weights;
  const names = new Map(
    [...weights.keys()].map((key) => [
      key.replace(/^(?:decoder|encoder)\.((?:post_)?quant_conv\.)/, '$1'),
      key,
    ]),
  );
  return derived(weights, 'vae quant', names);
}
