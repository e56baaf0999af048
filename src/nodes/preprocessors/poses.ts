/** Poses of people (comfyui_controlnet_aux node_wrappers/dwpose.py). */
import { basename } from 'node:path';
import { sized } from '../../imaging/hints/hint-size.js';
import { annotatorFile } from '../../models/annotators/annotator-files.js';
import { drawPoses, type Pose, type PosePoints } from '../../models/poses/draw-poses.js';
import { findPeople, posesIn } from '../../models/poses/dwpose.js';
import type { RunContext } from '../context.js';
import { combo, defineNode, link } from '../definition.js';
import type { CustomType } from '../values.js';
import { eachHint, resolution } from './define.js';

/** A picture's poses in OpenPose's JSON: x, y and 1 of each point, or three zeros. */
export interface PoseKeypoints {
  readonly people: readonly {
    readonly pose_keypoints_2d: readonly number[] | null;
    readonly face_keypoints_2d: readonly number[] | null;
    readonly hand_left_keypoints_2d: readonly number[] | null;
    readonly hand_right_keypoints_2d: readonly number[] | null;
  }[];
  readonly canvas_height: number;
  readonly canvas_width: number;
}

const POSE_KEYPOINT = 'POSE_KEYPOINT' as CustomType<readonly PoseKeypoints[]>;

/** Files for torch's own interpreter, and those of the same networks that are run instead. */
const AS_ONNX: Readonly<Record<string, string>> = {
  'yolox_l.torchscript.pt': 'yolox_l.onnx',
  'dw-ll_ucoco_384_bs5.torchscript.pt': 'dw-ll_ucoco_384.onnx',
};

const DETECTORS = [
  'None',
  'yolox_l.torchscript.pt',
  'yolox_l.onnx',
  'yolo_nas_l_fp16.onnx',
  'yolo_nas_m_fp16.onnx',
  'yolo_nas_s_fp16.onnx',
] as const;
const ESTIMATORS = [
  'dw-ll_ucoco_384_bs5.torchscript.pt',
  'dw-ll_ucoco_384.onnx',
  'dw-ll_ucoco.onnx',
] as const;
const either = combo(['enable', 'disable'], { default: 'enable' });

function open({ folders, models }: RunContext, file: string) {
  return models.onnx(annotatorFile(folders, AS_ONNX[file] ?? file, '.onnx'));
}

export const dwPreprocessor = defineNode({
  name: 'DWPreprocessor',
  displayName: 'DWPose Estimator',
  category: 'ControlNet Preprocessors/Faces and Poses Estimators',
  description:
    "People's poses, by models in ONNX's format: yolox_l.onnx and dw-ll_ucoco_384.onnx, which are also run where files for torch are asked for.",
  required: { image: link('IMAGE') },
  optional: {
    detect_hand: either,
    detect_body: either,
    detect_face: either,
    resolution,
    bbox_detector: combo(DETECTORS, { default: 'yolox_l.onnx' }),
    pose_estimator: combo(ESTIMATORS, { default: 'dw-ll_ucoco_384_bs5.torchscript.pt' }),
    scale_stick_for_xinsr_cn: combo(['disable', 'enable'], { default: 'disable' }),
  },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: POSE_KEYPOINT, name: 'POSE_KEYPOINT' },
  ],
  async run({ image, ...given }, context) {
    const {
      bbox_detector = 'yolox_l.onnx',
      pose_estimator = 'dw-ll_ucoco_384.onnx',
      resolution: side = 512,
    } = given;
    if (bbox_detector.startsWith('yolo_nas')) {
      throw new RangeError(`${basename(bbox_detector)} isn't there; yolox_l.onnx and None are`);
    }
    const finder = bbox_detector === 'None' ? undefined : open(context, bbox_detector);
    const estimator = open(context, pose_estimator);
    const size = pose_estimator.includes('384') ? { width: 288, height: 384 } : { width: 192, height: 256 };
    const parts = {
      body: given.detect_body !== 'disable',
      hands: given.detect_hand !== 'disable',
      face: given.detect_face !== 'disable',
      scalesSticks: given.scale_stick_for_xinsr_cn === 'enable',
    };
    const { signal } = context;
    const found: PoseKeypoints[] = [];
    const hints = await eachHint(image, context, async (picture) => {
      const people = finder && (await findPeople(finder, picture, { signal }));
      const isEmpty = people?.length === 0;
      const poses = isEmpty ? [] : await posesIn(estimator, picture, people ?? [], size, { signal });
      found.push(keypoints(poses, picture, parts));
      const { picture: drawn, withoutPadding } = sized(
        drawPoses(poses, picture.height, picture.width, parts),
        side,
      );
      return withoutPadding(drawn);
    });
    return { outputs: [hints, found] };
  },
});

function keypoints(
  poses: readonly Pose[],
  { height, width }: { readonly height: number; readonly width: number },
  { body, hands, face }: { readonly body: boolean; readonly hands: boolean; readonly face: boolean },
): PoseKeypoints {
  const listed = (points: PosePoints | undefined): readonly number[] | null =>
    points?.flatMap((point) => (point === undefined ? [0, 0, 0] : [point.x, point.y, 1])) ?? null;
  const none: PosePoints = new Array<undefined>(18).fill(undefined);
  return {
    people: poses.map((pose) => ({
      pose_keypoints_2d: listed(body ? pose.body : none),
      face_keypoints_2d: listed(face ? pose.face : undefined),
      hand_left_keypoints_2d: listed(hands ? pose.leftHand : undefined),
      hand_right_keypoints_2d: listed(hands ? pose.rightHand : undefined),
    })),
    canvas_height: height,
    canvas_width: width,
  };
}
