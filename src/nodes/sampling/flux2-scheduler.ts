/** Flux.2's own schedule (ComfyUI comfy_extras/nodes_flux.py). */
import { roundHalfEven } from '../../imaging/rounding.js';
import { defineNode, int } from '../definition.js';
import { MAX_RESOLUTION } from '../limits.js';

const { fround } = Math;

/** The shift's logarithm, fitted to so many patches of 16×16 pixels and steps (compute_empirical_mu). */
function empiricalMu(patches: number, steps: number): number {
  const atManySteps = 0.00016927 * patches + 0.45666666;
  if (patches > 4300) return atManySteps;
  const atFewSteps = 8.73809524e-5 * patches + 1.89833333;
  const slope = (atManySteps - atFewSteps) / 190;
  return slope * steps + (atManySteps - 200 * slope);
}

/** torch.linspace(1, 0, steps + 1), which counts from the nearer end. */
function fallingTimes(steps: number): Float32Array {
  const step = fround(-1 / steps);
  return Float32Array.from({ length: steps + 1 }, (_, index) =>
    index < (steps + 1) / 2 ? fround(1 + fround(step * index)) : fround(-step * (steps - index)),
  );
}

export const flux2Scheduler = defineNode({
  name: 'Flux2Scheduler',
  displayName: 'Flux2Scheduler',
  category: 'model/sampling/schedulers',
  description: "Flux.2's noise levels for a picture's size.",
  required: {
    steps: int({ default: 20, min: 1, max: 4096, tooltip: 'How many steps.' }),
    width: int({ default: 1024, min: 16, max: MAX_RESOLUTION, step: 1, tooltip: 'Width in pixels.' }),
    height: int({ default: 1024, min: 16, max: MAX_RESOLUTION, step: 1, tooltip: 'Height in pixels.' }),
  },
  optional: {},
  outputs: [{ type: 'SIGMAS', name: 'SIGMAS', tooltip: 'The noise levels, one more than steps.' }],
  run({ steps, width, height }) {
    const scale = fround(Math.exp(empiricalMu(roundHalfEven((width * height) / 256), steps)));
    // torch divides a number by a tensor as number · (1 / tensor).
    const sigmas = fallingTimes(steps).map((time) =>
      fround(fround(1 / fround(scale + fround(fround(1 / time) - 1))) * scale),
    );
    return { outputs: [sigmas] };
  },
});
