/** From a picture to YOLOv5-face's input, and from its outputs to faces (facelib/detection/yolov5face/face_detector.py). */
import type { NamedTensors } from '../../compute/backend.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { roundHalfEven } from '../../imaging/rounding.js';
import type { Landmarks } from './alignment.js';
import { withoutOverlaps, type Detection } from './detection.js';
import { YOLO_NUMBERS, YOLO_STRIDES } from './networks/yolov5-face.js';
import { resizeTo, type Picture } from './picture.js';

export const YOLO_THRESHOLD = 0.7;
const OVERLAP = 0.5;
/** Lower ones are passed over. */
const LEAST_HEIGHT = 10;
const GREY = 114;

/** A picture within a grey frame whose sides are multiples of 32: `pixels` is 1×3×H×W, red, green, blue in [0, 1]. */
export function yoloInput(picture: Picture): Tensor {
  const longest = Math.ceil(Math.max(picture.height, picture.width) / 32) * 32;
  const ratio = Math.min(longest / picture.height, longest / picture.width);
  const height = roundHalfEven(picture.height * ratio);
  const width = roundHalfEven(picture.width * ratio);
  const frame = (extent: number): readonly [before: number, after: number] => {
    const side = ((longest - extent) % 64) / 2;
    return [roundHalfEven(side - 0.1), roundHalfEven(side + 0.1)];
  };
  const [top, bottom] = frame(height);
  const [left, right] = frame(width);
  const [rows, columns] = [height + top + bottom, width + left + right];
  const pixels = tensor([1, 3, rows, columns]);
  pixels.data.fill(GREY / 255);
  const { values } = resizeTo(picture, height, width);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      const into = (c * rows + top + y) * columns + left;
      for (let x = 0; x < width; x++) pixels.data[into + x] = values[(y * width + x) * 3 + 2 - c]! / 255;
    }
  }
  return pixels;
}

/** What the network says before it is brought to the picture's own size. */
interface Raw {
  readonly box: Detection['box'];
  readonly score: number;
  /** x and y of five points. */
  readonly points: readonly number[];
}

/**
 * The faces in `picture`, whose `input` was the network's. `anchors` are widths and heights, three of each level. Places are whole
 * pixels, cut off; the score handed on is, as the reference has it, the box's left side.
 */
export function yoloDetections(
  outputs: NamedTensors,
  anchors: Float32Array,
  input: Tensor,
  picture: { readonly height: number; readonly width: number },
  threshold = YOLO_THRESHOLD,
): Detection[] {
  const found = YOLO_STRIDES.flatMap((stride, level) =>
    levelFaces(outputs[`level${level}`]!.data, {
      stride,
      columns: input.shape[3]! / stride,
      anchors: anchors.subarray((level * anchors.length) / 3, ((level + 1) * anchors.length) / 3),
      threshold,
    }),
  );
  return withoutOverlaps(found, OVERLAP).flatMap((raw) => inPicture(raw, input, picture));
}

interface Level {
  readonly stride: number;
  readonly columns: number;
  readonly anchors: Float32Array;
  readonly threshold: number;
}

function levelFaces(values: ArrayLike<number>, { stride, columns, anchors, threshold }: Level): Raw[] {
  const found: Raw[] = [];
  const perPlace = anchors.length / 2;
  for (let index = 0; index < values.length / YOLO_NUMBERS; index++) {
    const at = (number: number) => values[index * YOLO_NUMBERS + number]!;
    const sure = sigmoid(at(4));
    const score = Math.fround(sure * sigmoid(at(15)));
    if (!(sure > threshold && score > threshold)) continue;
    const place = Math.floor(index / perPlace);
    const anchor = index % perPlace;
    const [width, height] = [anchors[2 * anchor]!, anchors[2 * anchor + 1]!];
    const [column, row] = [place % columns, Math.floor(place / columns)];
    const x = (sigmoid(at(0)) * 2 - 0.5 + column) * stride;
    const y = (sigmoid(at(1)) * 2 - 0.5 + row) * stride;
    const halfWidth = ((sigmoid(at(2)) * 2) ** 2 * width) / 2;
    const halfHeight = ((sigmoid(at(3)) * 2) ** 2 * height) / 2;
    const points = Array.from({ length: 10 }, (_, number) =>
      number % 2 === 0 ? at(5 + number) * width + column * stride : at(5 + number) * height + row * stride,
    );
    found.push({ score, points, box: [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight] });
  }
  return found;
}

/** None for a face that is too small. */
function inPicture(
  { box, points }: Raw,
  input: Tensor,
  { height, width }: { readonly height: number; readonly width: number },
): readonly Detection[] {
  const [, , rows, columns] = input.shape as [number, number, number, number];
  const gain = Math.min(rows / height, columns / width);
  const padding = [(columns - width * gain) / 2, (rows - height * gain) / 2];
  const placed = (value: number, index: number): number => {
    const extent = index % 2 === 0 ? width : height;
    const shifted = Math.fround(Math.fround(value) - Math.fround(padding[index % 2]!));
    const clipped = Math.min(Math.max(Math.fround(shifted / Math.fround(gain)), 0), extent);
    // Cut off after a detour over the picture's extent, in which a whole number may come out just below itself.
    return Math.trunc(Math.fround(clipped / extent) * extent);
  };
  const [left, top, right, bottom] = box.map(placed) as [number, number, number, number];
  if (bottom - top < LEAST_HEIGHT) return [];
  const at = points.map(placed);
  const landmarks = [0, 2, 4, 6, 8].map((index) => [at[index]!, at[index + 1]!]) as unknown as Landmarks;
  return [{ box: [left, top, right, bottom], score: left, landmarks }];
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
