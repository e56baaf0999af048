/** From a picture to RetinaFace's input, and from its outputs to faces (facerestore_cf facelib/detection/retinaface). */
import type { NamedTensors } from '../../compute/backend.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { withoutOverlaps, type Detection } from './detection.js';
import type { Point } from './similarity.js';
import { RETINAFACE_STRIDES } from './networks/retinaface.js';
import type { Picture } from './picture.js';

/** Blue, green, red. */
const MEANS = [104, 117, 123];
/** Of the two anchors at each place of each level, in pixels. */
const ANCHOR_SIDES = [
  [16, 32],
  [64, 128],
  [256, 512],
] as const;
const VARIANCES = [0.1, 0.2] as const;

export const RETINAFACE_THRESHOLD = 0.8;
const OVERLAP = 0.4;

/** 1×3×H×W. */
export function retinaFaceInput({ values, height, width }: Picture): Tensor {
  const pixels = tensor([1, 3, height, width]);
  const plane = height * width;
  MEANS.forEach((mean, c) => {
    for (let i = 0; i < plane; i++) pixels.data[c * plane + i] = values[3 * i + c]! - mean;
  });
  return pixels;
}

/** The faces in a picture of this size whose score is above `threshold`. */
export function retinaFaceDetections(
  outputs: NamedTensors,
  size: { readonly height: number; readonly width: number },
  threshold = RETINAFACE_THRESHOLD,
): Detection[] {
  const [boxes, classes, landmarks] = ['boxes', 'classes', 'landmarks'].map((name) => outputs[name]!.data);
  const found: Detection[] = [];
  forEachAnchor(size.height, size.width, (anchor, index) => {
    const score = faceScore(classes![2 * index]!, classes![2 * index + 1]!);
    if (!(score > threshold)) return;
    const at = (values: ArrayLike<number>, width: number) => (i: number) => values[index * width + i]!;
    found.push({
      score,
      box: decodeBox(anchor, at(boxes!, 4)),
      landmarks: decodePoints(anchor, at(landmarks!, 10)),
    });
  });
  return withoutOverlaps(found, OVERLAP);
}

/** The second of two by softmax, in float32. */
export function faceScore(background: number, face: number): number {
  return Math.fround(1 / (1 + Math.exp(background - face)));
}

interface Anchor {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** Of each level's places row by row, each place's two. */
function forEachAnchor(height: number, width: number, visit: (anchor: Anchor, index: number) => void): void {
  let index = 0;
  RETINAFACE_STRIDES.forEach((stride, level) => {
    for (let row = 0; row < Math.ceil(height / stride); row++) {
      for (let column = 0; column < Math.ceil(width / stride); column++) {
        for (const side of ANCHOR_SIDES[level]!) {
          visit({ x: (column + 0.5) * stride, y: (row + 0.5) * stride, side }, index++);
        }
      }
    }
  });
}

function decodeBox({ x, y, side }: Anchor, at: (index: number) => number): Detection['box'] {
  const [near, far] = VARIANCES;
  const width = side * Math.exp(at(2) * far);
  const height = side * Math.exp(at(3) * far);
  const left = x + at(0) * near * side - width / 2;
  const top = y + at(1) * near * side - height / 2;
  return [left, top, left + width, top + height].map(Math.fround) as unknown as Detection['box'];
}

function decodePoints({ x, y, side }: Anchor, at: (index: number) => number): Detection['landmarks'] {
  const point = (index: number): Point => [
    Math.fround(x + at(2 * index) * VARIANCES[0] * side),
    Math.fround(y + at(2 * index + 1) * VARIANCES[0] * side),
  ];
  return [point(0), point(1), point(2), point(3), point(4)];
}
