/** What Impact's samplers are told. */
import { combo, float, int, link, samplerNames, seed } from '../../public.js';
import { BASIC_PIPE } from './basic-pipe.js';
import { scheduler, schedulerFunction } from './sampling.js';

export const cfg = float({
  default: 8,
  min: 0,
  max: 100,
  tooltip: 'How closely the picture follows the prompt.',
});
export const samplerName = combo(samplerNames, { tooltip: 'The algorithm that goes from noise to picture.' });
export const basicPipe = link(BASIC_PIPE, { tooltip: 'The model and its prompts.' });
export const noiseSeed = seed({ tooltip: 'The same seed gives the same noise.' });
export const steps = int({ default: 20, min: 1, max: 10000, tooltip: 'How many steps are done.' });
export const denoise = float({
  default: 1,
  min: 0,
  max: 1,
  step: 0.01,
  tooltip: 'How much of the latent is made anew.',
});
export const schedule = { sampler_name: samplerName, scheduler };
export const scheduleOption = { scheduler_func_opt: schedulerFunction };
