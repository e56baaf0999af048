/** Cutting, turning and changing schedules (ComfyUI comfy_extras/nodes_custom_sampler.py). */
import { roundHalfEven } from '../../imaging/rounding.js';
import { boolean, combo, defineNode, float, int, link, string } from '../definition.js';

const category = 'model/sampling/sigmas';
const sigmas = link('SIGMAS', { tooltip: 'A schedule of noise levels.' });
const halves = [
  { type: 'SIGMAS', name: 'high_sigmas', tooltip: 'The part with more noise, which comes first.' },
  { type: 'SIGMAS', name: 'low_sigmas', tooltip: 'The rest; it begins where the first part ends.' },
] as const;
const output = [{ type: 'SIGMAS', name: 'SIGMAS' }] as const;

export const splitSigmas = defineNode({
  name: 'SplitSigmas',
  displayName: 'SplitSigmas',
  category,
  description: 'Cuts a schedule in two after some of its steps.',
  required: {
    sigmas,
    step: int({ default: 0, min: 0, max: 10000, tooltip: 'How many steps the first part has.' }),
  },
  optional: {},
  outputs: halves,
  run: ({ sigmas: all, step }) => ({ outputs: [all.slice(0, step + 1), all.slice(step)] }),
});

export const splitSigmasDenoise = defineNode({
  name: 'SplitSigmasDenoise',
  displayName: 'SplitSigmasDenoise',
  category,
  description: 'Cuts a schedule in two before the last share of its steps.',
  required: {
    sigmas,
    denoise: float({
      default: 1,
      min: 0,
      max: 1,
      step: 0.01,
      tooltip: 'Share of the steps in the second part.',
    }),
  },
  optional: {},
  outputs: halves,
  run({ sigmas: all, denoise }) {
    const low = roundHalfEven(Math.max(all.length - 1, 0) * denoise);
    // Where no steps go to the second part, ComfyUI's slice leaves none in the first.
    return { outputs: [low === 0 ? new Float32Array() : all.slice(0, -low), all.slice(-(low + 1))] };
  },
});

export const flipSigmas = defineNode({
  name: 'FlipSigmas',
  displayName: 'FlipSigmas',
  category,
  description: 'Turns a schedule around, so that sampling along it adds noise instead.',
  required: { sigmas },
  optional: {},
  outputs: output,
  run({ sigmas: all }) {
    const flipped = all.toReversed();
    if (flipped[0] === 0) flipped[0] = 0.0001;
    return { outputs: [flipped] };
  },
});

export const setFirstSigma = defineNode({
  name: 'SetFirstSigma',
  displayName: 'SetFirstSigma',
  category,
  description: 'Replaces the noise level that a schedule begins with.',
  required: {
    sigmas,
    sigma: float({
      default: 136,
      min: 0,
      max: 20000,
      step: 0.001,
      round: false,
      tooltip: 'The new first noise level.',
    }),
  },
  optional: {},
  outputs: output,
  run({ sigmas: all, sigma }) {
    if (all.length === 0) throw new RangeError('an empty schedule has no first noise level');
    const changed = all.slice();
    changed[0] = sigma;
    return { outputs: [changed] };
  },
});

const spacings = {
  linear: (share: number) => share,
  cosine: (share: number) => Math.sin(quarterTurn(share)),
  sine: (share: number) => 1 - Math.fround(Math.cos(quarterTurn(share))),
} as const;

/** share·π/2, in float32. */
function quarterTurn(share: number): number {
  return Math.fround(share * Math.fround(Math.PI)) / 2;
}

export const extendIntermediateSigmas = defineNode({
  name: 'ExtendIntermediateSigmas',
  displayName: 'ExtendIntermediateSigmas',
  category,
  description: 'Puts further noise levels between those of a schedule.',
  required: {
    sigmas,
    steps: int({ default: 2, min: 1, max: 100, tooltip: 'How many steps become of one.' }),
    start_at_sigma: float({
      default: -1,
      min: -1,
      max: 20000,
      step: 0.01,
      round: false,
      tooltip: 'Steps from higher levels than this stay as they are; negative for no limit.',
    }),
    end_at_sigma: float({
      default: 12,
      min: 0,
      max: 20000,
      step: 0.01,
      round: false,
      tooltip: 'Steps from lower levels than this stay as they are.',
    }),
    spacing: combo(['linear', 'cosine', 'sine'], { tooltip: 'How the new levels are spread over a step.' }),
  },
  optional: {},
  outputs: output,
  run({ sigmas: all, steps, start_at_sigma, end_at_sigma, spacing }) {
    const highest = start_at_sigma < 0 ? Infinity : Math.fround(start_at_sigma);
    const lowest = Math.fround(end_at_sigma);
    const shares = Array.from({ length: steps - 1 }, (_, index) =>
      Math.fround(spacings[spacing](evenShare(index + 1, steps))),
    );
    const extended = [...all].flatMap((sigma, index) => {
      const next = all[index + 1];
      if (next === undefined || sigma < lowest || sigma > highest) return [sigma];
      const step = Math.fround(next - sigma);
      return [sigma, ...shares.map((share) => Math.fround(share * step) + sigma)];
    });
    return { outputs: [Float32Array.from(extended)] };
  },
});

/** torch.linspace(0, 1, count + 1)[index], counted from the nearer end. */
function evenShare(index: number, count: number): number {
  const step = Math.fround(1 / count);
  return Math.fround(index < (count + 1) >> 1 ? step * index : 1 - step * (count - index));
}

export const samplingPercentToSigma = defineNode({
  name: 'SamplingPercentToSigma',
  displayName: 'SamplingPercentToSigma',
  category,
  description: "The noise level at a share of a model's schedule.",
  required: {
    model: link('MODEL', { tooltip: 'The model whose noise levels count.' }),
    sampling_percent: float({
      default: 0,
      min: 0,
      max: 1,
      step: 0.0001,
      tooltip: 'The share, from the noisiest level on.',
    }),
    return_actual_sigma: boolean({
      default: false,
      tooltip: "The model's own first or last level at 0 and 1, instead of one beyond all levels.",
    }),
  },
  optional: {},
  outputs: [{ type: 'FLOAT', name: 'sigma_value' }],
  run({ model, sampling_percent: percent, return_actual_sigma }) {
    const { levels } = model.sampling;
    if (return_actual_sigma && percent === 0) return { outputs: [levels.sigmaMax] };
    if (return_actual_sigma && percent === 1) return { outputs: [levels.sigmaMin] };
    return { outputs: [levels.percentToSigma(percent)] };
  },
});

export const manualSigmas = defineNode({
  name: 'ManualSigmas',
  displayName: 'ManualSigmas',
  category,
  description: 'A schedule written out.',
  required: {
    sigmas: string({ default: '1, 0.5', tooltip: 'Noise levels, from high to low, most ending in 0.' }),
  },
  optional: {},
  outputs: output,
  run({ sigmas: text }) {
    // What ComfyUI takes for a number: signs, digits and points, no exponents.
    const numbers = text.match(/[-+]?\d*\.*\d+/g) ?? [];
    const wrong = numbers.find((number) => Number.isNaN(Number(number)));
    if (wrong !== undefined) throw new RangeError(`"${wrong}" is no noise level`);
    return { outputs: [Float32Array.from(numbers, Number)] };
  },
});
