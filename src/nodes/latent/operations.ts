/** Changes of latents as values that can be handed on: to latents, or into guidance (ComfyUI comfy_extras/nodes_latent.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { gaussianBlur } from '../../imaging/blur.js';
import { channelsFirst, channelsLast } from '../../imaging/channels.js';
import { combineValues } from '../../imaging/tensor-ops.js';
import { defineNode, float, int, link } from '../definition.js';
import type { LatentOperation } from '../values.js';

const category = 'model/latent/advanced/operations';
const operation = link('LATENT_OPERATION', { tooltip: 'The change.' });
const outputs = [{ type: 'LATENT_OPERATION', name: 'LATENT_OPERATION' }] as const;
const { fround, sqrt } = Math;

/** Each place's length over the channels of N×C×…, N×…, with something small added. */
function lengths({ shape, data }: Tensor, least: number): Float32Array {
  const [rows = 0, channels = 0] = shape;
  const places = data.length / Math.max(rows * channels, 1);
  return Float32Array.from({ length: rows * places }, (_, index) => {
    const start = Math.floor(index / places) * channels * places + (index % places);
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += data[start + channel * places]! ** 2;
    return fround(fround(sqrt(sum)) + fround(least));
  });
}

/** Every value changed by what stands for its place. */
function byPlace(
  latent: Tensor,
  values: Float32Array,
  change: (value: number, by: number) => number,
): Tensor {
  const [rows = 0, channels = 0] = latent.shape;
  const places = latent.data.length / Math.max(rows * channels, 1);
  const changed = latent.data.map((value, at) =>
    change(value, values[Math.floor(at / (channels * places)) * places + (at % places)]!),
  );
  return tensor(latent.shape, changed);
}

/** Reinhard's curve of each place's length, up to five deviations above its row's mean. */
function tonemapped(latent: Tensor, multiplier: number): Tensor {
  const [rows = 0] = latent.shape;
  const lengthsOfAll = lengths(latent, 1e-10);
  const places = lengthsOfAll.length / Math.max(rows, 1);
  const mapped = new Float32Array(lengthsOfAll.length);
  for (let row = 0; row < rows; row++) {
    const own = lengthsOfAll.subarray(row * places, (row + 1) * places);
    const mean = own.reduce((sum, value) => sum + value, 0) / places;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (places - 1);
    const top = fround(fround(fround(fround(sqrt(variance)) * 5) + fround(mean)) * fround(multiplier));
    own.forEach((value, at) => {
      const scaled = fround(value * fround(1 / top));
      mapped[row * places + at] = fround(fround(scaled / fround(scaled + 1)) * top);
    });
  }
  const direction = byPlace(latent, lengthsOfAll, (value, length) => value / length);
  return byPlace(direction, mapped, (value, length) => value * length);
}

/** Directions sharpened, lengths kept. */
function sharpened(
  latent: Tensor,
  blur: { readonly radius: number; readonly sigma: number },
  alpha: number,
): Tensor {
  const own = lengths(latent, 1e-6);
  const direction = channelsLast(byPlace(latent, own, (value, length) => value / length));
  const soft = gaussianBlur(direction, blur);
  const sharp = combineValues(direction, soft, (value, blurred) => value + 10 * alpha * (value - blurred));
  return byPlace(channelsFirst(sharp), own, (value, length) => value * length);
}

export const latentApplyOperation = defineNode({
  name: 'LatentApplyOperation',
  displayName: 'LatentApplyOperation',
  category,
  description: 'Changes latents.',
  required: { samples: link('LATENT'), operation },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run: ({ samples: latent, operation: change }) => ({
    outputs: [{ ...latent, samples: change.apply(latent.samples) }],
  }),
});

export const latentApplyOperationCfg = defineNode({
  name: 'LatentApplyOperationCFG',
  displayName: 'LatentApplyOperationCFG',
  category,
  description: 'Changes what guidance adds at each step: the difference between the two predictions.',
  required: { model: link('MODEL'), operation },
  optional: {},
  outputs: [{ type: 'MODEL', name: 'MODEL' }],
  run({ model, operation: change }) {
    const { guidance } = model;
    const identity = `${guidance.identity} operation ${change.identity}`;
    const before: NonNullable<typeof guidance.before>[number] = ({ cond, uncond }) => ({
      cond: combineValues(
        change.apply(combineValues(cond, uncond, (a, b) => a - b)),
        uncond,
        (a, b) => a + b,
      ),
      uncond,
    });
    return {
      outputs: [model.withGuidance({ ...guidance, identity, before: [...(guidance.before ?? []), before] })],
    };
  },
});

export const latentOperationTonemapReinhard = defineNode({
  name: 'LatentOperationTonemapReinhard',
  displayName: 'LatentOperationTonemapReinhard',
  category,
  description: 'Presses long latents together, so that high guidance does not burn.',
  required: {
    multiplier: float({
      default: 1,
      min: 0,
      max: 100,
      step: 0.01,
      tooltip: 'Scales what the longest may be.',
    }),
  },
  optional: {},
  outputs,
  run: ({ multiplier }) => ({
    outputs: [operationOf(`reinhard ${multiplier}`, (latent) => tonemapped(latent, multiplier))],
  }),
});

export const latentOperationSharpen = defineNode({
  name: 'LatentOperationSharpen',
  displayName: 'LatentOperationSharpen',
  category,
  description: 'Sharpens latents.',
  required: {
    sharpen_radius: int({ default: 9, min: 1, max: 31, step: 1, tooltip: 'Latent pixels on either side.' }),
    sigma: float({ default: 1, min: 0.1, max: 10, step: 0.1, tooltip: 'Width of the Gaussian, in radii.' }),
    alpha: float({ default: 0.1, min: 0, max: 5, step: 0.01, tooltip: 'How strongly.' }),
  },
  optional: {},
  outputs,
  run: ({ sharpen_radius: radius, sigma, alpha }) => ({
    outputs: [
      operationOf(`sharpen ${radius} ${sigma} ${alpha}`, (latent) =>
        sharpened(latent, { radius, sigma }, alpha),
      ),
    ],
  }),
});

function operationOf(identity: string, apply: LatentOperation['apply']): LatentOperation {
  return { identity, apply };
}
