/** Detailers: parts of pictures painted anew (modules/impact/impact_pack.py). */
import { boolean, concatRows, defineNode, float, int, link } from '../../public.js';
import { BASIC_PIPE, PARTS, type BasicPipe } from './basic-pipe.js';
import {
  sizes,
  sampling,
  denoise,
  feather,
  noiseMask,
  forceInpaint,
  cycle,
  refinerRatio,
  wildcard,
  softly,
  options,
  hooked,
  list,
  IMAGE_OUTPUT,
  orEmpty,
  controlImages,
} from './detailer-inputs.js';
import { detailed, type Detailed, type DetailOptions } from './detailer.js';
import { detailerHook } from './detailer-pipe.js';
import { dropSize } from './finding-inputs.js';
import { schedulerFunction } from './sampling.js';
import { maskToSegs, SEGS, singleMask } from './segs.js';
import { wildcardsFingerprint } from './wildcards.js';

const detail = { category: 'ImpactPack/Detailer', drawsNoise: true };
const image = link('IMAGE');
const segsInput = link(SEGS, { tooltip: 'The parts.' });

const eachPart = {
  ...sizes,
  ...sampling,
  positive: PARTS.positive,
  negative: PARTS.negative,
  denoise,
  feather,
  noise_mask: noiseMask,
  force_inpaint: forceInpaint,
  wildcard,
  cycle,
};

export const detailerForEach = defineNode({
  ...detail,
  name: 'DetailerForEach',
  displayName: 'Detailer (SEGS)',
  description: 'Paints parts of a picture anew, larger, and lays them back.',
  required: { image, segs: segsInput, model: PARTS.model, clip: PARTS.clip, vae: PARTS.vae, ...eachPart },
  optional: hooked,
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run({ image: picture, segs, ...given }, context) {
    return { outputs: [(await detailed(picture, segs, given, context)).image] };
  },
});

export const detailerForEachDebug = defineNode({
  ...detail,
  name: 'DetailerForEachDebug',
  displayName: 'DetailerDebug (SEGS)',
  description: 'Paints parts of a picture anew, and shows what they were and became.',
  required: { image, segs: segsInput, model: PARTS.model, clip: PARTS.clip, vae: PARTS.vae, ...eachPart },
  optional: hooked,
  outputs: [
    IMAGE_OUTPUT,
    list('cropped'),
    list('cropped_refined'),
    list('cropped_refined_alpha'),
    list('cnet_images'),
  ],
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run({ image: picture, segs, ...given }, context) {
    const done = await detailed(picture, segs, given, context);
    return { outputs: [done.image, ...picturesOf(done), controlImages()] };
  },
});

function picturesOf({ cropped, refined, transparent }: Detailed) {
  return [orEmpty(cropped), orEmpty(refined), orEmpty(transparent)] as const;
}

const piped = {
  ...sizes,
  ...sampling,
  denoise,
  feather,
  noise_mask: noiseMask,
  force_inpaint: forceInpaint,
  basic_pipe: link(BASIC_PIPE),
  wildcard,
  refiner_ratio: refinerRatio,
  cycle,
};
const pipedOptions = {
  detailer_hook: detailerHook,
  refiner_basic_pipe_opt: link(BASIC_PIPE, { tooltip: 'Another model for the last steps.' }),
  ...options,
};

interface Piped extends Omit<DetailOptions, keyof BasicPipe | 'refiner'> {
  readonly basic_pipe: BasicPipe;
  readonly refiner_basic_pipe_opt?: BasicPipe;
  readonly refiner_ratio: number;
}

function optionsOf({
  basic_pipe,
  refiner_basic_pipe_opt: other,
  refiner_ratio,
  ...given
}: Piped): DetailOptions {
  const refiner = other && { ...other, ratio: refiner_ratio };
  return { ...given, ...basic_pipe, refiner };
}

export const detailerForEachPipe = defineNode({
  ...detail,
  name: 'DetailerForEachPipe',
  displayName: 'Detailer (SEGS/pipe)',
  description: 'Paints parts of a picture anew by what a pipe holds.',
  required: { image, segs: segsInput, ...piped },
  optional: pipedOptions,
  outputs: [
    IMAGE_OUTPUT,
    { type: SEGS, name: 'segs' },
    { type: BASIC_PIPE, name: 'basic_pipe' },
    list('cnet_images'),
  ],
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run({ image: picture, segs, ...given }, context) {
    const done = await detailed(picture, segs, optionsOf(given), context);
    return { outputs: [done.image, done.segs, given.basic_pipe, controlImages()] };
  },
});

export const detailerForEachDebugPipe = defineNode({
  ...detail,
  name: 'DetailerForEachDebugPipe',
  displayName: 'DetailerDebug (SEGS/pipe)',
  description: 'Paints parts of a picture anew by what a pipe holds, and shows what they were and became.',
  required: { image, segs: segsInput, ...piped },
  optional: pipedOptions,
  outputs: [
    IMAGE_OUTPUT,
    { type: SEGS, name: 'segs' },
    { type: BASIC_PIPE, name: 'basic_pipe' },
    list('cropped'),
    list('cropped_refined'),
    list('cropped_refined_alpha'),
    list('cnet_images'),
  ],
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run({ image: picture, segs, ...given }, context) {
    const done = await detailed(picture, segs, optionsOf(given), context);
    return {
      outputs: [done.image, done.segs, given.basic_pipe, ...picturesOf(done), controlImages()],
    };
  },
});

export const maskDetailerPipe = defineNode({
  ...detail,
  name: 'MaskDetailerPipe',
  displayName: 'MaskDetailer (pipe)',
  description: 'Paints the shapes of a mask anew.',
  required: {
    image,
    mask: link('MASK'),
    basic_pipe: link(BASIC_PIPE),
    ...sizes,
    mask_mode: boolean({ default: true, tooltip: 'Limits sampling to the mask.' }),
    ...sampling,
    denoise,
    feather,
    crop_factor: float({
      default: 3,
      min: 1,
      max: 10,
      step: 0.1,
      tooltip: 'How much larger than a shape the region around it is.',
    }),
    drop_size: dropSize,
    refiner_ratio: refinerRatio,
    batch_size: int({ default: 1, min: 1, max: 100, tooltip: 'How many pictures are made.' }),
    cycle,
  },
  optional: {
    refiner_basic_pipe_opt: link(BASIC_PIPE, { tooltip: 'Another model for the last steps.' }),
    detailer_hook: detailerHook,
    ...softly,
    bbox_fill: boolean({ default: false, tooltip: 'Fills shapes up to rectangles.' }),
    contour_fill: boolean({ default: true, tooltip: 'Fills shapes with white.' }),
    scheduler_func_opt: schedulerFunction,
  },
  outputs: [
    IMAGE_OUTPUT,
    list('cropped_refined'),
    list('cropped_enhanced_alpha'),
    { type: BASIC_PIPE, name: 'basic_pipe' },
    { type: BASIC_PIPE, name: 'refiner_basic_pipe_opt' },
  ],
  async run({ image: picture, mask, mask_mode, crop_factor, drop_size, batch_size, ...given }, context) {
    const { bbox_fill = false, contour_fill = true, ...rest } = given;
    const segs = maskToSegs(singleMask(mask), {
      combined: false,
      cropFactor: crop_factor,
      fillsBox: bbox_fill,
      dropSize: drop_size,
      fillsContour: contour_fill,
    });
    const base = {
      ...optionsOf({ ...rest, noise_mask: mask_mode, force_inpaint: true }),
      wildcard: undefined,
    };
    const done: Detailed[] = [];
    for (let index = 0; index < batch_size; index++) {
      const each = { ...base, seed: BigInt.asUintN(64, base.seed + BigInt(index)) };
      done.push(await detailed(picture, segs, each, context));
    }
    const refiner = given.refiner_basic_pipe_opt as BasicPipe;
    return {
      outputs: [
        done.map((each) => each.image).reduce(concatRows),
        orEmpty(done.flatMap(({ refined }) => refined)),
        orEmpty(done.flatMap(({ transparent }) => transparent)),
        given.basic_pipe,
        refiner,
      ],
    };
  },
});
