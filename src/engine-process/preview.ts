/** Small pictures of a latent while it is sampled. */
import type { Tensor } from '../compute/tensor.js';
import { loadSharp } from '../imaging/load-sharp.js';
import type { LatentRgb, TinyDecoder } from '../nodes/context.js';
import type { RunEvent } from '../workflow/events.js';

/** ComfyUI's `--preview-method`, but for `auto`, which is `latent2rgb` there. */
export type PreviewMethod = 'latent2rgb' | 'taesd' | 'none';

/** What a step has for previews. */
export type StepPreview = NonNullable<Extract<RunEvent, { readonly type: 'progress' }>['preview']>;

/** Writes a step's picture as a PNG; says whether it could. */
export type PreviewPainter = (preview: StepPreview, path: string) => Promise<boolean>;

/** Longest side of a preview in pixels, about; latents are enlarged by a whole factor. */
const PREVIEW_SIDE = 256;

/** Longest side of a decoded preview (ComfyUI's `--preview-size`); larger pictures are made smaller. */
const DECODED_SIDE = 512;

/**
 * What makes previews by a method; undefined for none. Where `taesd` finds no decoder of the family, or can't use it, previews are
 * made as with `latent2rgb`, and `notice` is told once of each decoder.
 */
export function previewPainter(
  method: PreviewMethod,
  notice: (message: string) => void,
): PreviewPainter | undefined {
  if (method === 'none') return undefined;
  const told = new Set<string>();
  const complain = (file: string, why: string) => {
    if (told.has(file)) return;
    told.add(file);
    notice(`previews by latent2rgb instead of taesd: ${why}`);
  };
  const decoded = async (decoder: TinyDecoder): Promise<Tensor | undefined> => {
    const { file, decode } = decoder;
    if (decode === undefined) complain(file, `there is no ${file} in the models folder vae_approx`);
    try {
      return await decode?.();
    } catch (error) {
      complain(file, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  return async ({ denoised, latentRgb, tinyDecoder }, path) => {
    // Before anything is waited for: samplers go on in the same memory.
    const coloured = latentRgb && colour(denoised, latentRgb);
    const image = method === 'taesd' && tinyDecoder ? await decoded(tinyDecoder) : undefined;
    if (image !== undefined) await writeImage(image, path);
    else if (coloured !== undefined) await writeEnlarged(coloured, path);
    return image !== undefined || coloured !== undefined;
  };
}

interface Picture {
  readonly rgb: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** The first image of a latent (N×C×[F×]h×w) by its family's linear factors (ComfyUI latent_preview.py, Latent2RGBPreviewer). */
function colour(latent: Tensor, { factors, bias, patch = 1 }: LatentRgb): Picture {
  const [, , ...extents] = latent.shape;
  const [rows = 0, columns = 0] = extents.slice(-2);
  // Frames of a film lie behind one another in each channel.
  const plane = extents.reduce((product, extent) => product * extent, 1);
  const [width, height] = [columns * patch, rows * patch];
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const within = (y % patch) * patch + (x % patch);
      const at = within * plane + Math.floor(y / patch) * columns + Math.floor(x / patch);
      for (let colour = 0; colour < 3; colour++) {
        let value = bias?.[colour] ?? 0;
        factors.forEach((factor, channel) => {
          value += latent.data[channel * patch * patch * plane + at]! * factor[colour]!;
        });
        rgb[(y * width + x) * 3 + colour] = ((value + 1) / 2) * 255;
      }
    }
  }
  return { rgb, width, height };
}

async function writeEnlarged({ rgb, width, height }: Picture, path: string): Promise<void> {
  const sharp = await loadSharp();
  const factor = Math.max(1, Math.floor(PREVIEW_SIDE / Math.max(width, height)));
  await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize(width * factor, height * factor, { kernel: 'nearest' })
    .png()
    .toFile(path);
}

/** An image 1×H×W×3, clamped to [0, 1]; fractions of a byte are cut off as ComfyUI does. */
async function writeImage({ shape: [, height = 0, width = 0], data }: Tensor, path: string): Promise<void> {
  const rgb = Uint8Array.from(data, (value) => Math.min(Math.max(value, 0), 1) * 255);
  const sharp = await loadSharp();
  await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize(DECODED_SIDE, DECODED_SIDE, { fit: 'inside', withoutEnlargement: true })
    .png()
    .toFile(path);
}
