/** What detailers are told, and what they show. */
import { boolean, combo, float, int, samplerNames, seed, string, type Image } from '../../public.js';
import { detailerHook } from './detailer-pipe.js';
import { scheduler, schedulerFunction } from './sampling.js';
import { emptyImage } from './segs.js';

const LARGEST = 16384;
const side = (initial: number, tooltip: string) =>
  float({ default: initial, min: 64, max: LARGEST, step: 8, tooltip });
export const share = (initial: number, tooltip: string) =>
  float({ default: initial, min: 0, max: 1, step: 0.01, tooltip });

export const sizes = {
  guide_size: side(512, 'What the shorter side of a part becomes; larger parts stay as they are.'),
  guide_size_for: boolean({
    default: true,
    tooltip: 'The side of what was found, or of the region around it.',
  }),
  max_size: side(1024, 'The longest side that a region may become.'),
};

export const sampling = {
  seed: seed({ tooltip: 'Each part takes the next one.' }),
  steps: int({ default: 20, min: 1, max: 10000, tooltip: 'Steps of each part.' }),
  cfg: float({ default: 8, min: 0, max: 100, tooltip: 'How closely parts follow the prompt.' }),
  sampler_name: combo(samplerNames, { tooltip: 'The algorithm that goes from noise to picture.' }),
  scheduler,
};

export const denoise = float({
  default: 0.5,
  min: 0.0001,
  max: 1,
  step: 0.01,
  tooltip: 'How much of a part is made anew.',
});
export const feather = int({
  default: 5,
  min: 0,
  max: 100,
  step: 1,
  tooltip: 'How softly a part is laid back, in pixels.',
});
export const noiseMask = boolean({ default: true, tooltip: 'Limits sampling to the mask.' });
export const forceInpaint = boolean({
  default: true,
  tooltip: 'Paints parts that are large enough as well.',
});
export const cycle = int({ default: 1, min: 1, max: 10, step: 1, tooltip: 'How often a part is sampled.' });
export const refinerRatio = float({
  default: 0.2,
  min: 0,
  max: 1,
  tooltip: 'Share of the steps that a refiner does.',
});
export const wildcard = string({
  multiline: true,
  tooltip: "The parts' own text; it takes the place of the prompt.",
});

export const softly = {
  inpaint_model: boolean({ default: false, tooltip: 'The model is one for inpainting.' }),
  noise_mask_feather: int({
    default: 20,
    min: 0,
    max: 100,
    step: 1,
    tooltip: 'How softly the mask limits sampling, in pixels.',
  }),
};
export const options = { ...softly, scheduler_func_opt: schedulerFunction };
export const hooked = { detailer_hook: detailerHook, ...options };

export const list = (name: string) => ({ type: 'IMAGE', name, isList: true }) as const;
export const IMAGE_OUTPUT = { type: 'IMAGE', name: 'image' } as const;

export const orEmpty = (images: readonly Image[]): readonly Image[] =>
  images.length === 0 ? [emptyImage()] : images;

/** No ControlNet is attached to parts, and so none's pictures are shown. */
export const controlImages = (): readonly Image[] => [emptyImage()];
