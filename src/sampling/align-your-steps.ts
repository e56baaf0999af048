import { logLinear } from './log-linear.js';

/**
 * Sabour et al., "Align Your Steps: Optimizing Sampling Schedules in Diffusion Models", 2024: ten steps a family, others
 * between them by their logarithms (ComfyUI comfy_extras/nodes_align_your_steps.py).
 */
const levels = {
  SD1: [
    14.6146412293, 6.4745760956, 3.8636745985, 2.694615152, 1.8841921177, 1.3943805092, 0.9642583904,
    0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582,
  ],
  SDXL: [
    14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141, 0.5550693289,
    0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582,
  ],
  SVD: [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002],
} as const;

export type AlignYourStepsModel = keyof typeof levels;

export const alignYourStepsModels = Object.keys(levels) as readonly AlignYourStepsModel[];

/** `steps` + 1 falling noise levels, the last still above 0. */
export function alignYourSteps(model: AlignYourStepsModel, steps: number): Float32Array {
  const found = levels[model];
  return steps + 1 === found.length ? Float32Array.from(found) : logLinear(found, steps);
}
