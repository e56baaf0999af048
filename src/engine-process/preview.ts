/** Small pictures of a latent while it is sampled. */
import type { Tensor } from '../compute/tensor.js';
import { loadSharp } from '../imaging/load-sharp.js';
import type { LatentRgb } from '../nodes/context.js';

/** Longest side of a preview in pixels, about; latents are enlarged by a whole factor. */
const PREVIEW_SIDE = 256;

/**
 * Writes the first image of a latent (N×C×h×w) as a PNG, by its family's linear latent-to-RGB factors (ComfyUI
 * latent_preview.py, Latent2RGBPreviewer).
 */
export async function writePreview(
  latent: Tensor,
  { factors, bias }: LatentRgb,
  path: string,
): Promise<void> {
  const [, channels = 0, height = 0, width = 0] = latent.shape;
  const pixels = height * width;
  const rgb = new Uint8ClampedArray(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let colour = 0; colour < 3; colour++) {
      let value = bias?.[colour] ?? 0;
      for (let channel = 0; channel < channels; channel++) {
        value += latent.data[channel * pixels + pixel]! * (factors[channel]?.[colour] ?? 0);
      }
      rgb[pixel * 3 + colour] = ((value + 1) / 2) * 255;
    }
  }
  const sharp = await loadSharp();
  const factor = Math.max(1, Math.floor(PREVIEW_SIDE / Math.max(width, height)));
  await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize(width * factor, height * factor, { kernel: 'nearest' })
    .png()
    .toFile(path);
}
