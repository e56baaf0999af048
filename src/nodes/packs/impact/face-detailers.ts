/** Detailers that find what they paint anew (modules/impact/impact_pack.py, FaceDetailer). */
import {
  combo,
  concatRows,
  defineNode,
  float,
  int,
  link,
  rgbOf,
  takeRows,
  type Image,
  type Mask,
  type RunContext,
} from '../../public.js';
import { PARTS } from './basic-pipe.js';
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
  options,
  hooked,
  share,
  list,
  IMAGE_OUTPUT,
  orEmpty,
  controlImages,
} from './detailer-inputs.js';
import { detailed, type DetailOptions } from './detailer.js';
import { bboxDetector, DETAILER_PIPE, samOption, segmOption, type DetailerPipe } from './detailer-pipe.js';
import { dropSize } from './finding-inputs.js';
import { DETECTION_HINTS, NEGATIVE_HINTS, outlinesOf } from './sam-masks.js';
import { type Refiner } from './sampling.js';
import { combinedMask, withinMask, type Segs } from './segs.js';
import { wildcardsFingerprint } from './wildcards.js';

const image = link('IMAGE');

const finding = {
  bbox_threshold: share(0.5, 'The least confidence of what is found.'),
  bbox_dilation: int({ default: 10, min: -512, max: 512, step: 1, tooltip: 'Pixels by which masks grow.' }),
  bbox_crop_factor: float({
    default: 3,
    min: 1,
    max: 10,
    step: 0.1,
    tooltip: 'How much larger than what was found the region around it is.',
  }),
  sam_detection_hint: combo(DETECTION_HINTS, { tooltip: 'What points of a part SAM is shown.' }),
  sam_dilation: int({ default: 0, min: -512, max: 512, step: 1, tooltip: 'Pixels by which outlines grow.' }),
  sam_threshold: share(0.93, 'The least confidence of an outline.'),
  sam_bbox_expansion: int({
    default: 0,
    min: 0,
    max: 1000,
    step: 1,
    tooltip: 'Pixels by which rectangles grow.',
  }),
  sam_mask_hint_threshold: share(0.7, 'How white a mask is where points are taken.'),
  sam_mask_hint_use_negative: combo(NEGATIVE_HINTS, { tooltip: 'Shows points that are beside it, too.' }),
  drop_size: dropSize,
};

interface Finding {
  readonly bbox_threshold: number;
  readonly bbox_dilation: number;
  readonly bbox_crop_factor: number;
  readonly sam_detection_hint: (typeof DETECTION_HINTS)[number];
  readonly sam_dilation: number;
  readonly sam_threshold: number;
  readonly sam_bbox_expansion: number;
  readonly sam_mask_hint_threshold: number;
  readonly sam_mask_hint_use_negative: (typeof NEGATIVE_HINTS)[number];
  readonly drop_size: number;
}

type Detectors = Pick<DetailerPipe, 'bbox_detector' | 'segm_detector' | 'sam_model'>;

async function facesIn(
  picture: Image,
  { bbox_detector: bbox, segm_detector: segm, sam_model: sam }: Detectors,
  given: Finding,
): Promise<Segs> {
  const detecting = {
    threshold: given.bbox_threshold,
    dilation: given.bbox_dilation,
    cropFactor: given.bbox_crop_factor,
    dropSize: given.drop_size,
  };
  const segs = await bbox.detect(picture, detecting);
  if (sam !== undefined) {
    const outlines = await outlinesOf(sam, segs, picture, {
      hint: given.sam_detection_hint,
      dilation: given.sam_dilation,
      threshold: given.sam_threshold,
      expansion: given.sam_bbox_expansion,
      hintThreshold: given.sam_mask_hint_threshold,
      negative: given.sam_mask_hint_use_negative,
    });
    return withinMask(segs, outlines.combined);
  }
  if (segm === undefined) return segs;
  return withinMask(segs, combinedMask(await segm.detect(picture, detecting)));
}

interface Faces {
  readonly images: Image;
  readonly refined: readonly Image[];
  readonly transparent: readonly Image[];
  readonly mask: Mask;
}

/** Finds and paints faces of every picture of a batch. */
async function facesDetailed(
  pictures: Image,
  detectors: Detectors,
  given: DetailOptions & Finding,
  context: RunContext,
): Promise<Faces> {
  const [count = 0] = pictures.shape;
  const done: Faces[] = [];
  for (let index = 0; index < count; index++) {
    const picture = rgbOf(takeRows(pictures, index, 1));
    const segs = await facesIn(picture, detectors, given);
    const each = { ...given, seed: BigInt.asUintN(64, given.seed + BigInt(index)) };
    const { image: painted, refined, transparent } = await detailed(picture, segs, each, context);
    done.push({
      images: painted,
      refined: orEmpty(refined),
      transparent: orEmpty(transparent),
      mask: combinedMask(segs),
    });
  }
  return {
    images: done.map(({ images }) => images).reduce(concatRows),
    refined: done.flatMap(({ refined }) => refined),
    transparent: done.flatMap(({ transparent }) => transparent),
    mask: done.map(({ mask }) => mask).reduce(concatRows),
  };
}

const faceOutputs = [
  IMAGE_OUTPUT,
  list('cropped_refined'),
  list('cropped_enhanced_alpha'),
  { type: 'MASK', name: 'mask' },
  { type: DETAILER_PIPE, name: 'detailer_pipe' },
  list('cnet_images'),
] as const;

const simple = { category: 'ImpactPack/Simple', drawsNoise: true };

export const faceDetailer = defineNode({
  ...simple,
  name: 'FaceDetailer',
  displayName: 'FaceDetailer',
  description: 'Finds faces, or whatever a detector finds, and paints them anew.',
  required: {
    image,
    model: PARTS.model,
    clip: PARTS.clip,
    vae: PARTS.vae,
    ...sizes,
    ...sampling,
    positive: PARTS.positive,
    negative: PARTS.negative,
    denoise,
    feather,
    noise_mask: noiseMask,
    force_inpaint: forceInpaint,
    ...finding,
    bbox_detector: bboxDetector,
    wildcard,
    cycle,
  },
  optional: { sam_model_opt: samOption, segm_detector_opt: segmOption, ...hooked },
  outputs: faceOutputs,
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run({ image: pictures, sam_model_opt, segm_detector_opt, ...given }, context) {
    const { model, clip, vae, positive, negative, bbox_detector, wildcard: text } = given;
    const detectors = { bbox_detector, sam_model: sam_model_opt, segm_detector: segm_detector_opt };
    const done = await facesDetailed(pictures, detectors, given, context);
    const pipe = { model, clip, vae, positive, negative, wildcard: text, ...detectors };
    return { outputs: [done.images, done.refined, done.transparent, done.mask, pipe, controlImages()] };
  },
});

export const faceDetailerPipe = defineNode({
  ...simple,
  name: 'FaceDetailerPipe',
  displayName: 'FaceDetailer (pipe)',
  description: 'Finds faces, or whatever the detector of a pipe finds, and paints them anew.',
  required: {
    image,
    detailer_pipe: link(DETAILER_PIPE),
    ...sizes,
    ...sampling,
    denoise,
    feather,
    noise_mask: noiseMask,
    force_inpaint: forceInpaint,
    ...finding,
    refiner_ratio: refinerRatio,
    cycle,
  },
  optional: options,
  outputs: faceOutputs,
  fingerprint: (_, folders) => wildcardsFingerprint(folders),
  async run({ image: pictures, detailer_pipe: pipe, refiner_ratio, ...given }, context) {
    const { model, clip, vae, positive, negative, wildcard: text } = pipe;
    const parts = { model, clip, vae, positive, negative, wildcard: text };
    const refiner = refinerOf(pipe, refiner_ratio);
    const done = await facesDetailed(pictures, pipe, { ...given, ...parts, refiner }, context);
    return { outputs: [done.images, done.refined, done.transparent, done.mask, pipe, controlImages()] };
  },
});

function refinerOf(pipe: DetailerPipe, ratio: number): Refiner | undefined {
  const { refiner_model: model, refiner_positive: positive, refiner_negative: negative } = pipe;
  if (model === undefined || positive === undefined || negative === undefined) return undefined;
  return { model, positive, negative, ratio };
}
