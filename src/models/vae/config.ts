/** Reads an autoencoder's layout off its keys and shapes (ComfyUI comfy/sd.py, VAE.__init__). */
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';

/** Where checkpoints of the family keep it. */
export const checkpointPrefix = 'first_stage_model.';

/** A convolutional autoencoder of the Stable Diffusion family. */
export interface VaeConfig {
  readonly latentChannels: number;
  /** Resolutions, each half of the one before: 4 in SD's, so that 8 pixels become one. */
  readonly levels: number;
  /** Residual blocks a level of the encoder; the decoder has one more. */
  readonly residualBlocks: number;
  /** 1×1 convolutions between the latent and the networks on either side; some autoencoders do without. */
  readonly quantised: boolean;
}

/** The layout of the autoencoder that `weights` are. Throws `ModelError` when they are none, or another kind of one. */
export function detectVae(weights: WeightSource): VaeConfig {
  const file = weights.path;
  if (!weights.has('decoder.conv_in.weight')) {
    throw new ModelError(
      `${file} has no autoencoder of the Stable Diffusion family (no decoder.conv_in.weight)${otherKind(weights)}`,
    );
  }
  const { shape } = weights.weight('decoder.conv_in.weight');
  if (weights.has('decoder.mid.block_1.mix_factor') || shape.length !== 4) {
    throw new ModelError(`${file} has a video autoencoder, which is not supported; image autoencoders are`);
  }
  const attention = [...weights.keys()].find((key) => /\.(?:up|down)\.\d+\.attn\./.test(key));
  if (attention !== undefined) {
    throw new ModelError(
      `${file}: ${attention} is attention outside the middle, which no autoencoder of the family has`,
    );
  }
  return {
    latentChannels: shape[1]!,
    levels: count((level) => weights.has(`decoder.up.${level}.block.0.conv1.weight`)),
    residualBlocks: count((block) => weights.has(`decoder.up.0.block.${block}.conv1.weight`)) - 1,
    quantised: weights.has('post_quant_conv.weight'),
  };
}

function count(present: (index: number) => boolean): number {
  let index = 0;
  while (present(index)) index++;
  return index;
}

const otherKinds: readonly (readonly [key: string, name: string])[] = [
  ['vquantizer.codebook.weight', "Stable Cascade's stage A"],
  ['decoder.layers.1.layers.0.beta', 'an audio autoencoder'],
  ['decoder.conv_in.conv.weight', 'a video autoencoder'],
  ['decoder.conv1.weight', 'a video autoencoder'],
];

function otherKind(weights: WeightSource): string {
  const found = otherKinds.find(([key]) => weights.has(key));
  return found === undefined ? '' : `; it looks like ${found[1]}, which is not supported`;
}
