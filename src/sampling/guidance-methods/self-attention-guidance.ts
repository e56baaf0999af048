/**
 * Self-attention guidance: away from a prediction whose attended parts were blurred. Hong et al., "Improving Sample Quality of
 * Diffusion Models Using Self-Attention Guidance", 2023 (ComfyUI comfy_extras/nodes_sag.py).
 */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import { ModelError } from '../../models/model-error.js';
import type { Guidance } from '../../models/denoiser/guidance.js';

const { fround } = Math;

/** Pixels to each side that the blur reaches. */
const reach = 4;

/** A token that is attended to more than evenly is degraded. */
const threshold = 1;

/** `blurSigma` is the blur's deviation in latent pixels. The model has to record attention. */
export function selfAttentionGuidance(
  scale: number,
  blurSigma: number,
): NonNullable<Guidance['after']>[number] {
  const factor = fround(scale);
  return async ({ x, denoised, uncond, attention, evaluate }) => {
    const [, , height = 0, width = 0] = x.shape;
    if (Math.min(height, width) <= reach) return denoised;
    if (attention === undefined) {
      throw new ModelError(
        'SelfAttentionGuidance needs a negative prompt, which this guider does not evaluate',
      );
    }
    const degraded = blend(blurred(uncond, blurSigma), uncond, attendedMap(attention, height, width));
    const noised = map3(degraded, x, uncond, (a, b, c) => fround(a + b) - c);
    const other = await evaluate('negative', noised);
    return map3(denoised, degraded, other, (a, b, c) => a + fround(fround(b - c) * factor));
  };
}

function map3(a: Tensor, b: Tensor, c: Tensor, apply: (a: number, b: number, c: number) => number): Tensor {
  return tensor(
    a.shape,
    a.data.map((value, index) => apply(value, b.data[index]!, c.data[index]!)),
  );
}

/** N×height×width: 1 where the tokens were attended to, 0 elsewhere. */
function attendedMap(attention: Tensor, height: number, width: number): Tensor {
  const [rows = 1, tokens = 1] = attention.shape;
  const mapHeight = closestDivisor(tokens, roundHalfEven(Math.sqrt((height / width) * tokens)));
  const mapWidth = tokens / mapHeight;
  const map = tensor([rows, height, width]);
  for (let row = 0; row < rows; row++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const token = nearest(y, height, mapHeight) * mapWidth + nearest(x, width, mapWidth);
        map.data[(row * height + y) * width + x] = attention.data[row * tokens + token]! > threshold ? 1 : 0;
      }
    }
  }
  return map;
}

/** The divisor of `tokens` that is found first on the way from `wanted` to both sides. */
function closestDivisor(tokens: number, wanted: number): number {
  for (let distance = 0; distance < Math.floor(Math.sqrt(tokens) / 2); distance++) {
    for (const candidate of [wanted + distance, Math.max(1, wanted - distance)]) {
      if (tokens % candidate === 0) return candidate;
    }
  }
  throw new ModelError(`SelfAttentionGuidance can't lay ${tokens} tokens out as a picture`);
}

/** torch.nn.functional.interpolate's nearest: the place in `from` that `at` of `to` takes. */
function nearest(at: number, to: number, from: number): number {
  return Math.min(Math.floor(fround(at * fround(from / to))), from - 1);
}

/** inside where the map is 1, outside elsewhere */
function blend(inside: Tensor, outside: Tensor, map: Tensor): Tensor {
  const [, channels = 1, height = 1, width = 1] = inside.shape;
  const area = height * width;
  const data = inside.data.map((value, index) => {
    const row = Math.floor(index / (channels * area));
    return map.data[row * area + (index % area)] === 1 ? value : outside.data[index]!;
  });
  return tensor(inside.shape, data);
}

/** A Gaussian blur over 9×9 pixels, edges reflected. */
function blurred(x: Tensor, sigma: number): Tensor {
  const [, , height = 1, width = 1] = x.shape;
  const kernel = gaussian(sigma);
  const result = tensor(x.shape);
  for (let start = 0; start < x.data.length; start += height * width) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        kernel.forEach((weight, dy) => {
          const from = start + reflected(row + dy - reach, height) * width;
          kernel.forEach((other, dx) => {
            sum += fround(weight * other) * x.data[from + reflected(column + dx - reach, width)]!;
          });
        });
        result.data[start + row * width + column] = sum;
      }
    }
  }
  return result;
}

function gaussian(sigma: number): Float32Array {
  const density = Float32Array.from({ length: 2 * reach + 1 }, (_, index) => {
    const distance = fround((index - reach) / fround(sigma));
    return Math.exp(fround(-0.5 * fround(distance * distance)));
  });
  const total = fround(density.reduce((sum, value) => sum + value, 0));
  return density.map((value) => value / total);
}

function reflected(at: number, extent: number): number {
  if (at < 0) return -at;
  return at < extent ? at : 2 * (extent - 1) - at;
}
