/** Resizing of latents and images as ComfyUI does it (comfy/utils.py, common_upscale). */
import { tensor, type Tensor } from '../compute/tensor.js';
import { bislerp, lanczos, resize } from '../native/addon.js';
import { joinedAlong, partAlong } from './along-axis.js';
import { crop, IMAGE_ROWS, LATENT_ROWS, planesOf, type RowAxis } from './planes.js';
import { roundHalfEven } from './rounding.js';

export const IMAGE_UPSCALE_METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;
export const LATENT_UPSCALE_METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'bislerp'] as const;
export const CROP_METHODS = ['disabled', 'center'] as const;

export type ImageUpscaleMethod = (typeof IMAGE_UPSCALE_METHODS)[number];
export type LatentUpscaleMethod = (typeof LATENT_UPSCALE_METHODS)[number];
export type CropMethod = (typeof CROP_METHODS)[number];

/** `center` first cuts the source to the target's aspect ratio. */
export interface Target {
  readonly width: number;
  readonly height: number;
  readonly crop?: CropMethod;
}

/**
 * Resizes latents, N×C×[F×]h×w (or masks, N×1×h×w), to `height` × `width` latent pixels, frame by frame.
 * Throws `RangeError` for a target, or a source cropped to its aspect, without pixels.
 */
export function upscaleLatent(samples: Tensor, method: LatentUpscaleMethod, target: Target): Tensor {
  if (samples.shape.length === 5) return upscaleFilm(samples, method, target);
  const cropped = cropToAspect(samples, LATENT_ROWS, target);
  const [batch, channels, height, width] = fourExtents(cropped);
  const to = checkedTarget(target);
  const shape = [batch, channels, to.height, to.width];
  return tensor(
    shape,
    method === 'bislerp'
      ? bislerp(cropped.data, batch, channels, height, width, to.height, to.width)
      : resize(cropped.data, batch * channels, 1, height, width, to.height, to.width, method),
  );
}

/** Only `bislerp` looks at channels together: for all else, frames are as good as channels. */
function upscaleFilm(film: Tensor, method: LatentUpscaleMethod, target: Target): Tensor {
  const [rows = 1, channels = 1, frames = 1, height = 1, width = 1] = film.shape;
  if (method === 'bislerp') {
    const each = Array.from({ length: frames }, (_, frame) => {
      const { data } = partAlong(film, 2, frame, 1);
      const { shape, data: made } = upscaleLatent(
        tensor([rows, channels, height, width], data),
        method,
        target,
      );
      return tensor([rows, channels, 1, ...shape.slice(2)], made);
    });
    return each.reduce((first, second) => joinedAlong([first, second], 2));
  }
  const planes = tensor([rows, channels * frames, height, width], film.data);
  const { shape, data } = upscaleLatent(planes, method, target);
  return tensor([rows, channels, frames, ...shape.slice(2)], data);
}

/** Resizes images, N×H×W×C, to `height` × `width` pixels. Throws as `upscaleLatent`. */
export function upscaleImage(image: Tensor, method: ImageUpscaleMethod, target: Target): Tensor {
  const cropped = cropToAspect(image, IMAGE_ROWS, target);
  const [batch, height, width, channels] = fourExtents(cropped);
  const to = checkedTarget(target);
  const extents = [batch, channels, height, width, to.height, to.width] as const;
  const data =
    method === 'lanczos' ? lanczos(cropped.data, ...extents) : resize(cropped.data, ...extents, method);
  return tensor([batch, to.height, to.width, channels], data);
}

/** Images, N×H×W×C, by the pixel that torch's `nearest` takes: the one to the upper left. */
export function resizeNearest(image: Tensor, target: Target): Tensor {
  const [batch, height, width, channels] = fourExtents(image);
  const to = checkedTarget(target);
  const places = (from: number, count: number) => {
    const scale = Math.fround(from / count);
    return Array.from({ length: count }, (_, at) => Math.min(Math.floor(Math.fround(at * scale)), from - 1));
  };
  const [rows, columns] = [places(height, to.height), places(width, to.width)];
  const result = tensor([batch, to.height, to.width, channels]);
  let into = 0;
  for (let index = 0; index < batch; index++) {
    for (const row of rows) {
      for (const column of columns) {
        const at = ((index * height + row) * width + column) * channels;
        for (let channel = 0; channel < channels; channel++) result.data[into++] = image.data[at + channel]!;
      }
    }
  }
  return result;
}

/** Cuts both sides alike to the target's aspect ratio; half the surplus is rounded half to even. */
function cropToAspect(value: Tensor, rowAxis: RowAxis, target: Target): Tensor {
  if (target.crop !== 'center') return value;
  const { height, width } = planesOf(value, rowAxis);
  const aspect = width / height;
  const targetAspect = target.width / target.height;
  const x = aspect > targetAspect ? roundHalfEven((width - width * (targetAspect / aspect)) / 2) : 0;
  const y = aspect < targetAspect ? roundHalfEven((height - height * (aspect / targetAspect)) / 2) : 0;
  if (x === 0 && y === 0) return value;
  return crop(value, rowAxis, { y, x, height: height - 2 * y, width: width - 2 * x });
}

function checkedTarget(target: Target): Target {
  if (target.width < 1 || target.height < 1) {
    throw new RangeError(
      `can't resize to ${target.width}×${target.height}: both must be at least 1 (is the source or the scale too small?)`,
    );
  }
  return target;
}

function fourExtents(value: Tensor): [number, number, number, number] {
  const [a, b, c, d, ...more] = value.shape;
  if (a === undefined || b === undefined || c === undefined || d === undefined || more.length > 0) {
    throw new RangeError(`expected four axes, got [${value.shape.join(', ')}]`);
  }
  return [a, b, c, d];
}
