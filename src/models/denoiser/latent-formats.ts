/** The families' latent formats, numbers as in ComfyUI comfy/latent_formats.py. */
import type { LatentFormat } from './latent-format.js';

/** SD 1.x and 2.x. */
export const sdLatent: LatentFormat = {
  channels: 4,
  downscale: 8,
  scaleFactor: 0.18215,
  tinyDecoder: 'taesd_decoder',
  rgbFactors: [
    [0.3512, 0.2297, 0.3227],
    [0.325, 0.4974, 0.235],
    [-0.2829, 0.1762, 0.2721],
    [-0.212, -0.2616, -0.7177],
  ],
};

export const sdxlLatent: LatentFormat = {
  channels: 4,
  downscale: 8,
  scaleFactor: 0.13025,
  tinyDecoder: 'taesdxl_decoder',
  rgbFactors: [
    [0.3651, 0.4232, 0.4341],
    [-0.2533, -0.0042, 0.1068],
    [0.1076, 0.1111, -0.0362],
    [-0.3165, -0.2492, -0.2188],
  ],
  rgbBias: [0.1084, -0.0175, -0.0011],
};

/** Playground 2.5, an SDXL trained on normalised latents. */
export const playgroundLatent: LatentFormat = {
  channels: 4,
  downscale: 8,
  scaleFactor: 0.5,
  statistics: {
    mean: [-1.6574, 1.886, -1.383, 2.5155],
    deviation: [8.4927, 5.9022, 6.5498, 5.2299],
  },
  tinyDecoder: 'taesdxl_decoder',
  rgbFactors: [
    [0.392, 0.4054, 0.4549],
    [-0.2634, -0.0196, 0.0653],
    [0.0568, 0.1687, -0.0755],
    [-0.3112, -0.2359, -0.2076],
  ],
};
