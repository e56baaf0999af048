/** Parts of pictures found, narrowed, and joined (modules/impact/detectors.py, segs_nodes.py, impact_pack.py). */
import { combo, defineNode, int, link, rgbOf, string, tensor, type Image, type Mask } from '../../public.js';
import { bboxDetector, DETAILER_PIPE, detailerHook, samOption, segmOption } from './detailer-pipe.js';
import { cropFactor, dropSize, growth, share, threshold } from './finding-inputs.js';
import { DETECTION_HINTS, NEGATIVE_HINTS, outlinesOf } from './sam-masks.js';
import { SAM_MODEL, type SegmentAnything } from './sam.js';
import {
  combinedMask,
  dilatedSegs,
  SEGM_DETECTOR,
  SEGS,
  withinMask,
  withLabels,
  type Detector,
  type Segs,
} from './segs.js';

const labels = string({ default: 'all', multiline: true, tooltip: 'Kinds that are kept, or all.' });
const SEGS_OUTPUT = [{ type: SEGS, name: 'SEGS' }] as const;
const MASK_OUTPUT = [{ type: 'MASK', name: 'MASK' }] as const;
const detector = { category: 'ImpactPack/Detector' };

/** One picture without transparency. */
function onePicture(image: Image): Image {
  const [count = 1] = image.shape;
  if (count === 1) return rgbOf(image);
  throw new RangeError(`a detector takes one picture, this is a batch of ${count}: make a list of it`);
}

interface Finding {
  readonly image: Image;
  readonly threshold: number;
  readonly dilation: number;
  readonly crop_factor: number;
  readonly drop_size: number;
  readonly labels: string;
}

async function found(by: Detector, given: Finding): Promise<{ outputs: readonly [Segs] }> {
  const segs = await by.detect(onePicture(given.image), {
    threshold: given.threshold,
    dilation: given.dilation,
    cropFactor: given.crop_factor,
    dropSize: given.drop_size,
  });
  return { outputs: [withLabels(segs, given.labels)] };
}

const finding = {
  image: link('IMAGE'),
  threshold,
  dilation: growth(10),
  crop_factor: cropFactor(100),
  drop_size: dropSize,
  labels,
};

export const bboxDetectorSegs = defineNode({
  ...detector,
  name: 'BboxDetectorSEGS',
  displayName: 'BBOX Detector (SEGS)',
  description: 'Parts of a picture, as rectangles.',
  required: { bbox_detector: bboxDetector, ...finding },
  optional: { detailer_hook: detailerHook },
  outputs: SEGS_OUTPUT,
  run: ({ bbox_detector, ...given }) => found(bbox_detector, given),
});

export const segmDetectorSegs = defineNode({
  ...detector,
  name: 'SegmDetectorSEGS',
  displayName: 'SEGM Detector (SEGS)',
  description: 'Parts of a picture, with their outlines.',
  required: { segm_detector: link(SEGM_DETECTOR), ...finding },
  optional: { detailer_hook: detailerHook },
  outputs: SEGS_OUTPUT,
  run: ({ segm_detector, ...given }) => found(segm_detector, given),
});

interface Combining {
  readonly image: Image;
  readonly threshold: number;
  readonly dilation: number;
}

async function foundMask(by: Detector, given: Combining): Promise<{ outputs: readonly [Mask] }> {
  const image = onePicture(given.image);
  const [, height = 0, width = 0] = image.shape;
  const mask = await by.detectCombined(image, given.threshold, given.dilation);
  // Where nothing is found, the pack takes height for width.
  return { outputs: [mask ?? tensor([1, width, height])] };
}

export const bboxDetectorCombined = defineNode({
  ...detector,
  name: 'BboxDetectorCombined_v2',
  displayName: 'BBOX Detector (combined)',
  description: 'All that is found in a picture, as one mask.',
  required: { bbox_detector: bboxDetector, image: link('IMAGE'), threshold, dilation: growth(4) },
  optional: {},
  outputs: MASK_OUTPUT,
  run: ({ bbox_detector, ...given }) => foundMask(bbox_detector, given),
});

export const segmDetectorCombined = defineNode({
  ...detector,
  name: 'SegmDetectorCombined_v2',
  displayName: 'SEGM Detector (combined)',
  description: 'All that is found in a picture, as one mask of outlines.',
  required: { segm_detector: link(SEGM_DETECTOR), image: link('IMAGE'), threshold, dilation: growth(0) },
  optional: {},
  outputs: MASK_OUTPUT,
  run: ({ segm_detector, ...given }) => foundMask(segm_detector, given),
});

interface SimpleDetection {
  readonly image: Image;
  readonly bbox_threshold: number;
  readonly bbox_dilation: number;
  readonly crop_factor: number;
  readonly drop_size: number;
  readonly sub_threshold: number;
  readonly sub_dilation: number;
  readonly sub_bbox_expansion: number;
  readonly sam_mask_hint_threshold: number;
  readonly post_dilation?: number;
}

interface Detectors {
  readonly bbox: Detector;
  readonly segm?: Detector | undefined;
  readonly sam?: SegmentAnything | undefined;
}

async function simplyFound(
  { bbox, segm, sam }: Detectors,
  given: SimpleDetection,
): Promise<{ outputs: readonly [Segs] }> {
  const image = onePicture(given.image);
  const options = { cropFactor: given.crop_factor, dropSize: given.drop_size };
  let segs = await bbox.detect(image, {
    ...options,
    threshold: given.bbox_threshold,
    dilation: given.bbox_dilation,
  });
  const narrower = { ...options, threshold: given.sub_threshold, dilation: given.sub_dilation };
  if (sam !== undefined) {
    const outlines = await outlinesOf(sam, segs, image, {
      ...narrower,
      hint: 'center-1',
      expansion: given.sub_bbox_expansion,
      hintThreshold: given.sam_mask_hint_threshold,
      negative: 'False',
    });
    segs = withinMask(segs, outlines.combined);
  } else if (segm !== undefined) {
    segs = withinMask(segs, combinedMask(await segm.detect(image, narrower)));
  }
  return { outputs: [dilatedSegs(segs, given.post_dilation ?? 0)] };
}

const simple = {
  image: link('IMAGE'),
  bbox_threshold: threshold,
  bbox_dilation: growth(0),
  crop_factor: cropFactor(100),
  drop_size: dropSize,
  sub_threshold: share(0.5, 'The least confidence of outlines.'),
  sub_dilation: growth(0),
  sub_bbox_expansion: int({
    default: 0,
    min: 0,
    max: 1000,
    step: 1,
    tooltip: 'Pixels by which rectangles grow.',
  }),
  sam_mask_hint_threshold: share(0.7, 'How white a mask is where points are taken.'),
};

export const simpleDetectorSegs = defineNode({
  ...detector,
  name: 'ImpactSimpleDetectorSEGS',
  displayName: 'Simple Detector (SEGS)',
  description: 'Parts of a picture, narrowed to their outlines.',
  required: { bbox_detector: bboxDetector, ...simple },
  optional: { post_dilation: growth(0), sam_model_opt: samOption, segm_detector_opt: segmOption },
  outputs: SEGS_OUTPUT,
  run: ({ bbox_detector: bbox, sam_model_opt: sam, segm_detector_opt: segm, ...given }) =>
    simplyFound({ bbox, segm, sam }, given),
});

export const simpleDetectorSegsPipe = defineNode({
  ...detector,
  name: 'ImpactSimpleDetectorSEGSPipe',
  displayName: 'Simple Detector (SEGS/pipe)',
  description: 'Parts of a picture, narrowed to their outlines by the detectors of a pipe.',
  required: { detailer_pipe: link(DETAILER_PIPE), ...simple },
  optional: { post_dilation: growth(0) },
  outputs: SEGS_OUTPUT,
  run: ({ detailer_pipe: { bbox_detector: bbox, segm_detector: segm, sam_model: sam }, ...given }) =>
    simplyFound({ bbox, segm, sam }, given),
});

const outlining = {
  sam_model: link(SAM_MODEL),
  segs: link(SEGS),
  image: link('IMAGE'),
  detection_hint: combo(DETECTION_HINTS, { tooltip: 'What points of a part are shown.' }),
  dilation: growth(0),
  threshold: share(0.93, 'The least confidence of an outline; the surest counts where none has it.'),
  bbox_expansion: int({
    default: 0,
    min: 0,
    max: 1000,
    step: 1,
    tooltip: 'Pixels by which rectangles grow.',
  }),
  mask_hint_threshold: share(0.7, 'How white a mask is where points are taken.'),
  mask_hint_use_negative: combo(NEGATIVE_HINTS, { tooltip: 'Shows points that are beside it, too.' }),
};

interface Outlining {
  readonly sam_model: SegmentAnything;
  readonly segs: Segs;
  readonly image: Image;
  readonly detection_hint: (typeof DETECTION_HINTS)[number];
  readonly dilation: number;
  readonly threshold: number;
  readonly bbox_expansion: number;
  readonly mask_hint_threshold: number;
  readonly mask_hint_use_negative: (typeof NEGATIVE_HINTS)[number];
}

const outlined = (given: Outlining) =>
  outlinesOf(given.sam_model, given.segs, onePicture(given.image), {
    hint: given.detection_hint,
    dilation: given.dilation,
    threshold: given.threshold,
    expansion: given.bbox_expansion,
    hintThreshold: given.mask_hint_threshold,
    negative: given.mask_hint_use_negative,
  });

export const samDetectorCombined = defineNode({
  ...detector,
  name: 'SAMDetectorCombined',
  displayName: 'SAMDetector (combined)',
  description: 'The outlines of parts, as one mask.',
  required: outlining,
  optional: {},
  outputs: MASK_OUTPUT,
  run: async (given) => ({ outputs: [(await outlined(given)).combined] }),
});

export const samDetectorSegmented = defineNode({
  ...detector,
  name: 'SAMDetectorSegmented',
  displayName: 'SAMDetector (segmented)',
  description: 'The outlines of parts, as one mask and as one each.',
  required: outlining,
  optional: {},
  outputs: [
    { type: 'MASK', name: 'combined_mask' },
    { type: 'MASK', name: 'batch_masks' },
  ],
  async run(given) {
    const { combined, grouped } = await outlined(given);
    return { outputs: [combined, grouped ?? combined] };
  },
});
