/** Stable Diffusion 2.x: a UNet that projects by linear layers, and OpenCLIP-H. */
import { openClipLayout } from '../clip/layouts.js';
import { sdLatent } from '../denoiser/latent-formats.js';
import { discreteSampling } from '../denoiser/model-sampling.js';
import { joinChannels } from '../text/join-channels.js';
import type { UnetConfig } from '../unet/config.js';
import type { WeightSource } from '../weights/weight-source.js';
import { sd2ClipH } from './clip-uses.js';
import { valuesOf } from './marks.js';
import type { CheckpointFile } from './family.js';
import { unetFamily, type UnetKind } from './unet-family.js';

export const sd2 = unetFamily({
  name: 'sd2',
  title: 'SD 2.x',
  matches: ({ admChannels, linearInTransformer }) => admChannels === undefined && linearInTransformer,
  kind: sd2Kind,
  text: { encoders: [sd2ClipH], join: joinChannels },
  textWeights: sd2TextWeights,
});

/** Nothing in a file says what it predicts; the last block's biases spread more in v-prediction models. */
function predictsVelocity(denoiser: WeightSource, { inChannels }: UnetConfig): boolean {
  const key = 'output_blocks.11.1.transformer_blocks.0.norm1.bias';
  return inChannels === 4 && denoiser.has(key) && deviation(valuesOf(denoiser, key)) > 0.09;
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Where the text encoder lies in a checkpoint. */
export function sd2TextWeights(checkpoint: WeightSource): Readonly<Record<string, WeightSource | undefined>> {
  return {
    h:
      openClipLayout(checkpoint, 'conditioner.embedders.0.model.') ??
      openClipLayout(checkpoint, 'cond_stage_model.model.'),
  };
}

/** What it predicts, and at which size it was trained. */
export function sd2Kind({ denoiser }: CheckpointFile, config: UnetConfig): UnetKind {
  const isVelocity = predictsVelocity(denoiser, config);
  return {
    latentFormat: sdLatent,
    sampling: discreteSampling(isVelocity ? 'v_prediction' : 'epsilon'),
    trainedSide: isVelocity ? 768 : 512,
  };
}
