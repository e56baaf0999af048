/** Resizing of latents and images as ComfyUI does it (comfy/utils.py, common_upscale). */
import { tensor, type Tensor } from '../compute/tensor.js';
import { bislerp, lanczos, resize } from '../native/addon.js';
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
 * Resizes latents, N×C×h×w (or masks, N×1×h×w), to `height` × `width` latent pixels.
 * Throws `RangeError` for a target without pixels.
 */
export function upscaleLatent(samples: Tensor, method: LatentUpscaleMethod, target: Target): Tensor {
  const [batch, channels, height, width] = fourExtents(samples);
  const planes = cropPlanes(samples.data, { outer: batch * channels, height, width, inner: 1 }, target);
  const to = checkedTarget(target);
  const shape = [batch, channels, to.height, to.width];
  if (method === 'bislerp') {
    return tensor(
      shape,
      bislerp(planes.data, batch, channels, planes.height, planes.width, to.height, to.width),
    );
  }
  return tensor(
    shape,
    resize(planes.data, batch * channels, 1, planes.height, planes.width, to.height, to.width, method),
  );
}

/** Resizes images, N×H×W×C, to `height` × `width` pixels. Throws `RangeError` for a target without pixels. */
export function upscaleImage(image: Tensor, method: ImageUpscaleMethod, target: Target): Tensor {
  const [batch, height, width, channels] = fourExtents(image);
  const planes = cropPlanes(image.data, { outer: batch, height, width, inner: channels }, target);
  const to = checkedTarget(target);
  const extents = [batch, channels, planes.height, planes.width, to.height, to.width] as const;
  const data =
    method === 'lanczos' ? lanczos(planes.data, ...extents) : resize(planes.data, ...extents, method);
  return tensor([batch, to.height, to.width, channels], data);
}

interface Planes {
  readonly outer: number;
  readonly height: number;
  readonly width: number;
  readonly inner: number;
}

interface CroppedPlanes extends Planes {
  readonly data: Float32Array;
}

/** Cuts outer × height × width × inner to the target's aspect ratio, centred; the cut is rounded half to even. */
function cropPlanes(data: Float32Array, planes: Planes, target: Target): CroppedPlanes {
  if (target.crop !== 'center') return { ...planes, data };
  const { outer, height, width, inner } = planes;
  const aspect = width / height;
  const targetAspect = target.width / target.height;
  const x = aspect > targetAspect ? roundHalfEven((width - width * (targetAspect / aspect)) / 2) : 0;
  const y = aspect < targetAspect ? roundHalfEven((height - height * (aspect / targetAspect)) / 2) : 0;
  if (x === 0 && y === 0) return { ...planes, data };
  const cropped = { outer, inner, height: height - 2 * y, width: width - 2 * x };
  const row = cropped.width * inner;
  const into = new Float32Array(outer * cropped.height * row);
  for (let line = 0; line < outer * cropped.height; line++) {
    const plane = Math.floor(line / cropped.height);
    const from = ((plane * height + y + (line % cropped.height)) * width + x) * inner;
    into.set(data.subarray(from, from + row), line * row);
  }
  return { ...cropped, data: into };
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
