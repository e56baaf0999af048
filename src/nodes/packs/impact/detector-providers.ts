/** Loading what finds parts of pictures (subpack_nodes.py of ComfyUI-Impact-Subpack; modules/impact/impact_pack.py). */
import { combo, defineNode, modelFingerprint, type ModelKind } from '../../public.js';
import { onnxDetector, segmentAnything, yoloDetector } from './detectors.js';
import { SAM_MODEL } from './sam.js';
import { BBOX_DETECTOR, SEGM_DETECTOR, type Detector } from './segs.js';

const category = 'ImpactPack';

/** Where a model of the list lies: `bbox/` and `segm/` are folders of their own, or parts of the one that has both. */
function placeOf(name: string): readonly [kind: ModelKind, name: string] {
  if (name.startsWith('bbox/')) return ['ultralytics_bbox', name.slice(5)];
  if (name.startsWith('segm/')) return ['ultralytics_segm', name.slice(5)];
  return ['ultralytics', name];
}

/** What takes a segment detector's place behind a model that gives boxes alone. */
const NONE: Detector = {
  detect: () => Promise.reject(new RangeError('a model of bbox/ outlines nothing: link one of segm/')),
  detectCombined: () =>
    Promise.reject(new RangeError('a model of bbox/ outlines nothing: link one of segm/')),
};

export const ultralyticsDetectorProvider = defineNode({
  name: 'UltralyticsDetectorProvider',
  displayName: 'UltralyticsDetectorProvider',
  category,
  description: 'A YOLO network (v8, v9, 11) that finds parts of pictures, of models/ultralytics.',
  required: {
    model_name: combo(
      (folders) => [
        ...folders.list('ultralytics_bbox').map((name) => `bbox/${name}`),
        ...folders.list('ultralytics_segm').map((name) => `segm/${name}`),
      ],
      { tooltip: 'Those of bbox/ give rectangles, those of segm/ outlines, too.' },
    ),
  },
  optional: {},
  outputs: [
    { type: BBOX_DETECTOR, name: 'BBOX_DETECTOR' },
    { type: SEGM_DETECTOR, name: 'SEGM_DETECTOR' },
  ],
  fingerprint: ({ model_name }, folders) => modelFingerprint(folders, ...placeOf(model_name)),
  run({ model_name }, { folders, models }) {
    const model = models.objectDetector(folders.resolve(...placeOf(model_name)));
    const boxes = yoloDetector(model, 'boxes');
    return { outputs: [boxes, model_name.startsWith('bbox') ? NONE : yoloDetector(model, 'outlines')] };
  },
});

export const onnxDetectorProvider = defineNode({
  name: 'ONNXDetectorProvider',
  displayName: 'ONNXDetectorProvider',
  category,
  description: "A detector in ONNX's format, of models/onnx, with keras-retinanet's inputs and outputs.",
  required: { model_name: combo((folders) => folders.list('onnx'), { tooltip: 'The model to load.' }) },
  optional: {},
  outputs: [{ type: BBOX_DETECTOR, name: 'BBOX_DETECTOR' }],
  fingerprint: ({ model_name }, folders) => modelFingerprint(folders, 'onnx', model_name),
  run({ model_name }, { folders, models }) {
    return { outputs: [onnxDetector(models.onnx(folders.resolve('onnx', model_name)))] };
  },
});

export const samLoader = defineNode({
  name: 'SAMLoader',
  displayName: 'SAMLoader (Impact)',
  category,
  description: 'SAM (vit_b, vit_l or vit_h), which outlines what points and boxes show, of models/sams.',
  required: {
    model_name: combo((folders) => folders.list('sams').filter((name) => !name.includes('hq')), {
      tooltip: 'The model to load. EfficientSAM is not there.',
    }),
    device_mode: combo(['AUTO', 'Prefer GPU', 'CPU'], {
      tooltip: 'Says nothing here: it runs where it can.',
    }),
  },
  optional: {},
  outputs: [{ type: SAM_MODEL, name: 'SAM_MODEL' }],
  fingerprint: ({ model_name }, folders) => modelFingerprint(folders, 'sams', model_name),
  run({ model_name }, { folders, models }) {
    return { outputs: [segmentAnything(models.segmentation(folders.resolve('sams', model_name)))] };
  },
});
