/** A basic pipe with detectors and a text, as one value (modules/impact/pipe.py). */
import { defineNode, link, string, type ValueOf } from '../../public.js';
import { BASIC_PIPE, PARTS, PART_OUTPUTS, type BasicPipe } from './basic-pipe.js';
import { selectLora, selectWildcard } from './prompt-inputs.js';
import {
  bboxDetector,
  DETAILER_HOOK,
  DETAILER_PIPE,
  detailerHook,
  samOption,
  segmOption,
  type DetailerPipe,
} from './detailer-pipe.js';
import { SAM_MODEL, type SegmentAnything } from './sam.js';
import { BBOX_DETECTOR, SEGM_DETECTOR, type Detector } from './segs.js';

const PIPE_OUTPUT = { type: DETAILER_PIPE, name: 'detailer_pipe' } as const;
const described = { category: 'ImpactPack/Pipe' };
const wildcard = string({
  multiline: true,
  tooltip: "The parts' own text; it takes the place of the prompt.",
});
const selects = { 'Select to add LoRA': selectLora, 'Select to add Wildcard': selectWildcard };
const detectors = { sam_model_opt: samOption, segm_detector_opt: segmOption, detailer_hook: detailerHook };
const refinerParts = {
  refiner_model: link('MODEL'),
  refiner_clip: link('CLIP'),
  refiner_positive: link('CONDITIONING'),
  refiner_negative: link('CONDITIONING'),
};

interface Given extends BasicPipe {
  readonly wildcard: string;
  readonly bbox_detector: Detector;
  readonly sam_model_opt?: SegmentAnything;
  readonly segm_detector_opt?: Detector;
  readonly refiner_model?: ValueOf<'MODEL'>;
  readonly refiner_clip?: ValueOf<'CLIP'>;
  readonly refiner_positive?: ValueOf<'CONDITIONING'>;
  readonly refiner_negative?: ValueOf<'CONDITIONING'>;
}

function made({ sam_model_opt, segm_detector_opt, ...parts }: Given): DetailerPipe {
  return { ...parts, sam_model: sam_model_opt, segm_detector: segm_detector_opt };
}

export const toDetailerPipe = defineNode({
  ...described,
  name: 'ToDetailerPipe',
  displayName: 'ToDetailerPipe',
  description: 'Puts a model, prompts and detectors into one value.',
  required: { ...PARTS, bbox_detector: bboxDetector, wildcard, ...selects },
  optional: detectors,
  outputs: [PIPE_OUTPUT],
  run: (given) => ({ outputs: [made(given)] }),
});

export const toDetailerPipeSdxl = defineNode({
  ...described,
  name: 'ToDetailerPipeSDXL',
  displayName: 'ToDetailerPipeSDXL',
  description: 'Puts two models, prompts and detectors into one value.',
  required: { ...PARTS, ...refinerParts, bbox_detector: bboxDetector, wildcard, ...selects },
  optional: detectors,
  outputs: [PIPE_OUTPUT],
  run: (given) => ({ outputs: [made(given)] }),
});

export const basicPipeToDetailerPipe = defineNode({
  ...described,
  name: 'BasicPipeToDetailerPipe',
  displayName: 'BasicPipe -> DetailerPipe',
  description: 'A pipe with detectors beside it.',
  required: { basic_pipe: link(BASIC_PIPE), bbox_detector: bboxDetector, wildcard, ...selects },
  optional: detectors,
  outputs: [PIPE_OUTPUT],
  run: ({ basic_pipe, ...given }) => ({ outputs: [made({ ...basic_pipe, ...given })] }),
});

export const basicPipeToDetailerPipeSdxl = defineNode({
  ...described,
  name: 'BasicPipeToDetailerPipeSDXL',
  displayName: 'BasicPipe -> DetailerPipe (SDXL)',
  description: 'A pipe with detectors and a refiner beside it.',
  required: {
    base_basic_pipe: link(BASIC_PIPE),
    refiner_basic_pipe: link(BASIC_PIPE),
    bbox_detector: bboxDetector,
    wildcard,
    ...selects,
  },
  optional: detectors,
  outputs: [PIPE_OUTPUT],
  run({ base_basic_pipe, refiner_basic_pipe: refiner, ...given }) {
    const parts = {
      refiner_model: refiner.model,
      refiner_clip: refiner.clip,
      refiner_positive: refiner.positive,
      refiner_negative: refiner.negative,
    };
    return { outputs: [made({ ...base_basic_pipe, ...given, ...parts })] };
  },
});

export const detailerPipeToBasicPipe = defineNode({
  ...described,
  name: 'DetailerPipeToBasicPipe',
  displayName: 'DetailerPipe -> BasicPipe',
  description: 'The pipe in a detailer pipe, and that of its refiner.',
  required: { detailer_pipe: link(DETAILER_PIPE) },
  optional: {},
  outputs: [
    { type: BASIC_PIPE, name: 'base_basic_pipe' },
    { type: BASIC_PIPE, name: 'refiner_basic_pipe' },
  ],
  run({ detailer_pipe: pipe }) {
    const { model, clip, vae, positive, negative } = pipe;
    const refiner = {
      model: pipe.refiner_model,
      clip: pipe.refiner_clip,
      vae,
      positive: pipe.refiner_positive,
      negative: pipe.refiner_negative,
    };
    // Without a refiner its pipe is as empty as the pack's.
    return { outputs: [{ model, clip, vae, positive, negative }, refiner as BasicPipe] };
  },
});

const FOUND_OUTPUTS = [
  { type: BBOX_DETECTOR, name: 'bbox_detector' },
  { type: SAM_MODEL, name: 'sam_model_opt' },
  { type: SEGM_DETECTOR, name: 'segm_detector_opt' },
  { type: DETAILER_HOOK, name: 'detailer_hook' },
] as const;

/** What is left out of a pipe travels on as nothing, as in the pack. */
function partsOf(pipe: DetailerPipe) {
  const { model, clip, vae, positive, negative, bbox_detector, sam_model, segm_detector } = pipe;
  return [
    model,
    clip,
    vae,
    positive,
    negative,
    bbox_detector,
    sam_model as SegmentAnything,
    segm_detector as Detector,
    undefined as never,
  ] as const;
}

export const fromDetailerPipe = defineNode({
  ...described,
  name: 'FromDetailerPipe',
  displayName: 'FromDetailerPipe',
  description: 'Takes a detailer pipe apart.',
  required: { detailer_pipe: link(DETAILER_PIPE) },
  optional: {},
  outputs: [...PART_OUTPUTS, ...FOUND_OUTPUTS],
  run: ({ detailer_pipe }) => ({ outputs: partsOf(detailer_pipe) }),
});

export const fromDetailerPipeV2 = defineNode({
  ...described,
  name: 'FromDetailerPipe_v2',
  displayName: 'FromDetailerPipe_v2',
  description: 'Takes a detailer pipe apart, and gives it on.',
  required: { detailer_pipe: link(DETAILER_PIPE) },
  optional: {},
  outputs: [PIPE_OUTPUT, ...PART_OUTPUTS, ...FOUND_OUTPUTS],
  run: ({ detailer_pipe }) => ({ outputs: [detailer_pipe, ...partsOf(detailer_pipe)] }),
});

export const fromDetailerPipeSdxl = defineNode({
  ...described,
  name: 'FromDetailerPipeSDXL',
  displayName: 'FromDetailer (SDXL/pipe)',
  description: 'Takes a detailer pipe with a refiner apart.',
  required: { detailer_pipe: link(DETAILER_PIPE) },
  optional: {},
  outputs: [
    PIPE_OUTPUT,
    ...PART_OUTPUTS,
    ...FOUND_OUTPUTS,
    { type: 'MODEL', name: 'refiner_model' },
    { type: 'CLIP', name: 'refiner_clip' },
    { type: 'CONDITIONING', name: 'refiner_positive' },
    { type: 'CONDITIONING', name: 'refiner_negative' },
  ],
  run({ detailer_pipe: pipe }) {
    const refiner = [
      pipe.refiner_model as ValueOf<'MODEL'>,
      pipe.refiner_clip as ValueOf<'CLIP'>,
      pipe.refiner_positive as ValueOf<'CONDITIONING'>,
      pipe.refiner_negative as ValueOf<'CONDITIONING'>,
    ] as const;
    return { outputs: [pipe, ...partsOf(pipe), ...refiner] };
  },
});

const changedParts = {
  bbox_detector: bboxDetector,
  sam_model: link(SAM_MODEL),
  segm_detector: link(SEGM_DETECTOR),
  detailer_hook: detailerHook,
};

function edited(pipe: DetailerPipe, text: string, changes: Partial<DetailerPipe>): DetailerPipe {
  return { ...pipe, ...changes, wildcard: text === '' ? pipe.wildcard : text };
}

export const editDetailerPipe = defineNode({
  ...described,
  name: 'EditDetailerPipe',
  displayName: 'Edit DetailerPipe',
  description: 'A detailer pipe with other parts in the place of its own.',
  required: { detailer_pipe: link(DETAILER_PIPE), wildcard, ...selects },
  optional: { ...PARTS, ...changedParts },
  outputs: [PIPE_OUTPUT],
  run({ detailer_pipe, wildcard: text, model, clip, vae, positive, negative, ...rest }) {
    const { bbox_detector, sam_model, segm_detector } = rest;
    const changes = given({ model, clip, vae, positive, negative, bbox_detector, sam_model, segm_detector });
    return { outputs: [edited(detailer_pipe, text, changes)] };
  },
});

export const editDetailerPipeSdxl = defineNode({
  ...described,
  name: 'EditDetailerPipeSDXL',
  displayName: 'Edit DetailerPipe (SDXL)',
  description: 'A detailer pipe with other parts in the place of its own, the refiner’s too.',
  required: { detailer_pipe: link(DETAILER_PIPE), wildcard, ...selects },
  optional: { ...PARTS, ...refinerParts, ...changedParts },
  outputs: [PIPE_OUTPUT],
  run({ detailer_pipe, wildcard: text, ...rest }) {
    const { model, clip, vae, positive, negative, bbox_detector, sam_model, segm_detector } = rest;
    const { refiner_model, refiner_clip, refiner_positive, refiner_negative } = rest;
    const changes = given({
      model,
      clip,
      vae,
      positive,
      negative,
      bbox_detector,
      sam_model,
      segm_detector,
      refiner_model,
      refiner_clip,
      refiner_positive,
      refiner_negative,
    });
    return { outputs: [edited(detailer_pipe, text, changes)] };
  },
});

/** Those that are something. */
function given(parts: { readonly [Name in keyof DetailerPipe]?: DetailerPipe[Name] | undefined }) {
  return Object.fromEntries(
    Object.entries(parts).filter(([, value]) => value !== undefined),
  ) as Partial<DetailerPipe>;
}
