import { elementCount, tensor, type Tensor } from '../../compute/tensor.js';

/** How a family's latents relate to what its UNet sees and to pixels (ComfyUI comfy/latent_formats.py). */
export interface LatentFormat {
  readonly channels: number;
  /** Pixels per latent pixel along each axis. */
  readonly downscale: number;
  readonly scaleFactor: number;
  /** Mean and standard deviation of each channel, where the UNet sees them normalised (Playground 2.5). */
  readonly statistics?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** A linear picture of the latent: RGB in [−1, 1] = factorsᵀ·latent (+ bias); for previews. */
  readonly rgbFactors: readonly (readonly [number, number, number])[];
  readonly rgbBias?: readonly [number, number, number];
  /** How the name of a file in `vae_approx` begins that decodes what the denoiser sees; for previews. */
  readonly tinyDecoder?: string;
}

/** A latent as nodes hand it on (N×C×h×w) as the UNet sees it: ComfyUI's `process_in`, in float32 throughout. */
export function toModelSpace({ scaleFactor, statistics }: LatentFormat, latent: Tensor): Tensor {
  const scale = Math.fround(scaleFactor);
  return perChannel(
    latent,
    statistics,
    (value, { mean, deviation }) => Math.fround(Math.fround(value - mean) * scale) / deviation,
  );
}

/** The way back: ComfyUI's `process_out`. */
export function fromModelSpace({ scaleFactor, statistics }: LatentFormat, latent: Tensor): Tensor {
  const scale = Math.fround(scaleFactor);
  return perChannel(
    latent,
    statistics,
    (value, { mean, deviation }) => Math.fround(Math.fround(value * deviation) / scale) + mean,
  );
}

interface ChannelStatistics {
  readonly mean: number;
  readonly deviation: number;
}

const standard: ChannelStatistics = { mean: 0, deviation: 1 };

function perChannel(
  latent: Tensor,
  statistics: LatentFormat['statistics'],
  apply: (value: number, channel: ChannelStatistics) => number,
): Tensor {
  const [, channels = 1, ...spatial] = latent.shape;
  const area = elementCount(spatial);
  const byChannel = Array.from({ length: channels }, (_, channel) =>
    statistics === undefined
      ? standard
      : {
          mean: Math.fround(statistics.mean[channel]!),
          deviation: Math.fround(statistics.deviation[channel]!),
        },
  );
  const data = latent.data.map((value, index) =>
    apply(value, byChannel[Math.floor(index / area) % channels]!),
  );
  return tensor(latent.shape, data);
}
