/** How a family's latents relate to what its UNet sees and to pixels. */
export interface LatentFormat {
  readonly channels: number;
  /** Pixels per latent pixel along each axis. */
  readonly downscale: number;
  /** `process_in` multiplies by it, `process_out` divides (ComfyUI comfy/latent_formats.py). */
  readonly scaleFactor: number;
  /** A linear picture of the latent: RGB in [−1, 1] = factorsᵀ·latent (+ bias); for previews. */
  readonly rgbFactors: readonly (readonly [number, number, number])[];
  readonly rgbBias?: readonly [number, number, number];
}
