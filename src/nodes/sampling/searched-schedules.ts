/** Schedules that were found by search (ComfyUI comfy_extras/nodes_align_your_steps.py, nodes_gits.py and nodes_optimalsteps.py). */
import { roundHalfEven } from '../../imaging/rounding.js';
import { alignYourSteps, alignYourStepsModels } from '../../sampling/align-your-steps.js';
import { gitsLevels } from '../../sampling/gits.js';
import { optimalSteps, optimalStepsModels } from '../../sampling/optimal-steps.js';
import { combo, defineNode, float, int } from '../definition.js';

const category = 'model/sampling/schedulers';
const outputs = [
  { type: 'SIGMAS', name: 'SIGMAS', tooltip: 'The noise levels, one more than steps.' },
] as const;

const denoise = float({
  default: 1,
  min: 0,
  max: 1,
  step: 0.01,
  tooltip: 'Share of the steps that is done.',
});

/** The last `share` of the schedule of `count` steps, down to 0. */
function endOf(count: number, share: number, levels: () => Float32Array): { outputs: [Float32Array] } {
  if (share <= 0) return { outputs: [new Float32Array()] };
  const done = share < 1 ? roundHalfEven(count * share) : count;
  const sigmas = levels().slice(-(done + 1));
  sigmas[sigmas.length - 1] = 0;
  return { outputs: [sigmas] };
}

export const alignYourStepsScheduler = defineNode({
  name: 'AlignYourStepsScheduler',
  displayName: 'AlignYourStepsScheduler',
  category,
  description: 'Noise levels optimised for a family of models: Sabour et al., "Align Your Steps", 2024.',
  required: {
    model_type: combo(alignYourStepsModels, { tooltip: 'The family that the levels were found for.' }),
    steps: int({ default: 10, min: 1, max: 10000, tooltip: 'How many steps in the whole schedule.' }),
    denoise,
  },
  optional: {},
  outputs,
  run: ({ model_type, steps, denoise: share }) =>
    endOf(steps, share, () => alignYourSteps(model_type, steps)),
});

export const optimalStepsScheduler = defineNode({
  name: 'OptimalStepsScheduler',
  displayName: 'OptimalStepsScheduler',
  category,
  description: 'Noise levels optimised for a family of flow models: Pei et al., 2025.',
  required: {
    model_type: combo(optimalStepsModels, { tooltip: 'The family that the levels were found for.' }),
    steps: int({ default: 20, min: 3, max: 1000, tooltip: 'How many steps in the whole schedule.' }),
    denoise,
  },
  optional: {},
  outputs,
  run: ({ model_type, steps, denoise: share }) => endOf(steps, share, () => optimalSteps(model_type, steps)),
});

export const gitsScheduler = defineNode({
  name: 'GITSScheduler',
  displayName: 'GITSScheduler',
  category,
  description: 'Noise levels found along the paths that samplers take: Chen et al., 2024.',
  required: {
    coeff: float({
      default: 1.2,
      min: 0.8,
      max: 1.5,
      step: 0.05,
      tooltip: 'Higher values put more steps at low noise; 0.80, 0.85, … 1.50.',
    }),
    steps: int({ default: 10, min: 2, max: 1000, tooltip: 'How many steps in the whole schedule.' }),
    denoise,
  },
  optional: {},
  outputs,
  run({ coeff, steps, denoise: share }) {
    return endOf(steps, share, () => {
      const levels = gitsLevels(coeff, steps);
      if (levels !== undefined) return levels;
      throw new RangeError(
        `GITSScheduler has no levels for coeff ${coeff}; it has them for 0.80, 0.85, … 1.50`,
      );
    });
  },
});
