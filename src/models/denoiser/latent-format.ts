import { elementCount, tensor, type Tensor } from '../../compute/tensor.js';

/** How a family's latents relate to what its UNet sees and to pixels (ComfyUI comfy/latent_formats.py). */
export interface LatentFormat {
  readonly channels: number;
  /** Pixels per latent pixel along each axis. */
  readonly downscale: number;
  readonly scaleFactor: number;
  /** Taken off a latent before it is scaled; 0 when left out. */
  readonly shift?: number;
  /** Axes behind the channels: 2 of a picture (when left out), 3 with frames, N×C×F×h×w. */
  readonly dimensions?: 2 | 3;
  /** Frames of a film per frame of its latent, but for the first; 1 when left out. */
  readonly frameDownscale?: number;
  /** Mean and standard deviation of each channel, where the network sees them normalised (Playground 2.5, Wan). */
  readonly statistics?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** A linear picture of the latent: RGB in [−1, 1] = factorsᵀ·latent (+ bias); for previews. */
  readonly rgbFactors: readonly (readonly [number, number, number])[];
  readonly rgbBias?: readonly [number, number, number];
  /** Pixels a side that lie side by side in the channels, of each of which there is a factor; 1 when left out. */
  readonly rgbPatch?: number;
  /** How the name of a file in `vae_approx` begins that decodes what the denoiser sees; for previews. */
  readonly tinyDecoder?: string;
}

/** A latent as nodes hand it on (N×C×[F×]h×w) as the network sees it: ComfyUI's `process_in`, in float32 throughout. */
export function toModelSpace({ scaleFactor, shift = 0, statistics }: LatentFormat, latent: Tensor): Tensor {
  const scale = Math.fround(scaleFactor);
  return perChannel(
    latent,
    shift,
    statistics,
    (value, { mean, deviation }) => Math.fround(Math.fround(value - mean) * scale) / deviation,
  );
}

/** The way back: ComfyUI's `process_out`. */
export function fromModelSpace({ scaleFactor, shift = 0, statistics }: LatentFormat, latent: Tensor): Tensor {
  const scale = Math.fround(scaleFactor);
  return perChannel(
    latent,
    shift,
    statistics,
    (value, { mean, deviation }) => Math.fround(Math.fround(value * deviation) / scale) + mean,
  );
}

interface ChannelStatistics {
  readonly mean: number;
  readonly deviation: number;
}

function perChannel(
  latent: Tensor,
  shift: number,
  statistics: LatentFormat['statistics'],
  apply: (value: number, channel: ChannelStatistics) => number,
): Tensor {
  const [, channels = 1, ...spatial] = latent.shape;
  const area = elementCount(spatial);
  const byChannel = Array.from({ length: channels }, (_, place) => {
    if (statistics === undefined) return { mean: Math.fround(shift), deviation: 1 };
    // Of several latents side by side, each is like one.
    const channel = place % statistics.mean.length;
    return {
      mean: Math.fround(statistics.mean[channel]!),
      deviation: Math.fround(statistics.deviation[channel]!),
    };
  });
  const data = latent.data.map((value, index) =>
    apply(value, byChannel[Math.floor(index / area) % channels]!),
  );
  return tensor(latent.shape, data);
}
