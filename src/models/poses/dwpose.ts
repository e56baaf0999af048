/** People's poses by DWPose: YOLOX finds people, a network places their points (comfyui_controlnet_aux src/custom_controlnet_aux/dwpose). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { BytePicture } from '../../imaging/bytes.js';
import { resizeLinear, warpAffine } from '../../native/addon.js';
import { ModelError } from '../model-error.js';
import type { ForeignModel, ForeignRunOptions } from '../onnx/foreign-model.js';
import type { Pose, PosePoint, PosePoints } from './draw-poses.js';

const { fround } = Math;

type Box = readonly [x1: number, y1: number, x2: number, y2: number];

const SIDE = 640;
const GREY = 114;
const OVERLAP = 0.45;
/** The least score of boxes that are compared, and of those that count. */
const [COMPARED, COUNTED] = [0.1, 0.3];
const STRIDES = [8, 16, 32];

/** People in a picture of three channels by a YOLOX that knows COCO's kinds. */
export async function findPeople(
  model: ForeignModel,
  picture: BytePicture,
  options: ForeignRunOptions,
): Promise<readonly Box[]> {
  const { x, ratio } = yoloxInput(picture);
  const [output] = await model.run(x, options);
  const [, places = 0, values = 0] = output?.shape ?? [];
  const expected = STRIDES.reduce((sum, stride) => sum + (SIDE / stride) ** 2, 0);
  if (output === undefined || places !== expected || values < 6) {
    throw new ModelError(
      `${model.path} gives no ${expected} boxes with scores: it is no YOLOX of ${SIDE}×${SIDE} pixels`,
    );
  }
  const found: { readonly box: Box; readonly score: number }[] = [];
  let place = 0;
  for (const stride of STRIDES) {
    const columns = SIDE / stride;
    for (let cell = 0; cell < columns * columns; cell++, place++) {
      const at = (index: number) => output.data[place * values + index]!;
      const score = fround(at(4) * at(5));
      if (!(score > COMPARED)) continue;
      const [middleX, middleY] = [
        fround((at(0) + (cell % columns)) * stride),
        fround((at(1) + Math.floor(cell / columns)) * stride),
      ];
      const [width, height] = [
        fround(fround(Math.exp(at(2))) * stride),
        fround(fround(Math.exp(at(3))) * stride),
      ];
      const own = [middleX - width / 2, middleY - height / 2, middleX + width / 2, middleY + height / 2];
      found.push({ score, box: own.map((edge) => fround(fround(edge) / ratio)) as unknown as Box });
    }
  }
  return withoutOverlaps(found).flatMap(({ box, score }) => (score > COUNTED ? [box] : []));
}

function yoloxInput(picture: BytePicture): { readonly x: Tensor; readonly ratio: number } {
  const ratio = Math.min(SIDE / picture.height, SIDE / picture.width);
  const [rows, columns] = [Math.trunc(picture.height * ratio), Math.trunc(picture.width * ratio)];
  const values = Float32Array.from(picture.data);
  const [scaleY, scaleX] = [picture.height / rows, picture.width / columns];
  const isSame = rows === picture.height && columns === picture.width;
  const resized = isSame
    ? values
    : resizeLinear(values, 3, picture.height, picture.width, true, rows, columns, scaleY, scaleX);
  const x = tensor([1, 3, SIDE, SIDE]);
  x.data.fill(GREY);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < rows; y++) {
      for (let at = 0; at < columns; at++) {
        x.data[(c * SIDE + y) * SIDE + at] = resized[(y * columns + at) * 3 + c]!;
      }
    }
  }
  return { x, ratio };
}

/** Boxes count both of their edges. */
function withoutOverlaps<Found extends { readonly box: Box; readonly score: number }>(
  found: Found[],
): Found[] {
  const area = ([x1, y1, x2, y2]: Box) => (x2 - x1 + 1) * (y2 - y1 + 1);
  const overlap = (a: Box, b: Box): number => {
    const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + 1);
    const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + 1);
    return (width * height) / (area(a) + area(b) - width * height);
  };
  const kept: Found[] = [];
  for (const candidate of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => overlap(box, candidate.box) <= OVERLAP)) kept.push(candidate);
  }
  return kept;
}

const MEAN = [123.675, 116.28, 103.53] as const;
const DEVIATION = [58.395, 57.12, 57.375] as const;
/** How much larger than a person what is looked at is. */
const AROUND = 1.25;
/** Places of the network's answers for a pixel of its input. */
const FINENESS = 2;
const POINTS = 133;
const SEEN = 0.3;

interface Scored extends PosePoint {
  readonly score: number;
}

/** The poses of people in boxes, or of the one that the whole picture is where there is none; `size` is the network's input. */
export async function posesIn(
  model: ForeignModel,
  picture: BytePicture,
  boxes: readonly Box[],
  size: { readonly width: number; readonly height: number },
  options: ForeignRunOptions,
): Promise<readonly Pose[]> {
  const poses: Pose[] = [];
  for (const box of boxes.length === 0 ? [[0, 0, picture.width, picture.height] as const] : boxes) {
    const [centreX, centreY] = [(box[0] + box[2]) * 0.5, (box[1] + box[3]) * 0.5];
    const [width, height] = [(box[2] - box[0]) * AROUND, (box[3] - box[1]) * AROUND];
    const aspect = size.width / size.height;
    const extent =
      width > height * aspect ? { width, height: width / aspect } : { width: height * aspect, height };
    const view = { centreX, centreY, ...extent };
    const [across, down] = await model.run(poseInput(picture, view, size), options);
    if (across?.shape[1] !== POINTS || down?.shape[1] !== POINTS) {
      throw new ModelError(`${model.path} doesn't place ${POINTS} points: it is no DWPose`);
    }
    const points = Array.from({ length: POINTS }, (_, at): Scored => {
      const [x, y] = [greatest(across, at), greatest(down, at)];
      const score = Math.min(x.value, y.value);
      const [column, row] = score <= 0 ? [-1, -1] : [x.place, y.place];
      return {
        score,
        x: (column / FINENESS / size.width) * view.width + centreX - view.width / 2,
        y: (row / FINENESS / size.height) * view.height + centreY - view.height / 2,
      };
    });
    poses.push(poseOf(points));
  }
  return poses;
}

interface View {
  readonly centreX: number;
  readonly centreY: number;
  readonly width: number;
  readonly height: number;
}

/** What is around a person, normalised. */
function poseInput(
  picture: BytePicture,
  view: View,
  { width, height }: { readonly width: number; readonly height: number },
): Tensor {
  // From three points in float32, as OpenCV solves them.
  const half = view.width / 2;
  const [x0, y0] = [fround(view.centreX), fround(view.centreY)];
  const scaleY = width / 2 / (y0 - fround(view.centreY - half));
  const scaleX = width / 2 / (x0 - fround(view.centreX - half));
  const matrix = Float64Array.of(scaleX, 0, width / 2 - scaleX * x0, 0, scaleY, height / 2 - scaleY * y0);
  const values = Float32Array.from(picture.data);
  const { height: fromHeight, width: fromWidth } = picture;
  const border = new Float32Array(3);
  const seen = warpAffine(values, 3, fromHeight, fromWidth, true, height, width, matrix, border);
  const x = tensor([1, 3, height, width]);
  for (let c = 0; c < 3; c++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const value = seen[(row * width + column) * 3 + c]!;
        x.data[(c * height + row) * width + column] = (value - MEAN[c]!) / DEVIATION[c]!;
      }
    }
  }
  return x;
}

function greatest(
  { data, shape }: Tensor,
  point: number,
): { readonly place: number; readonly value: number } {
  const length = shape[2]!;
  let [place, value] = [0, -Infinity];
  for (let at = 0; at < length; at++) {
    const each = data[point * length + at]!;
    if (each > value) [place, value] = [at, each];
  }
  return { place, value };
}

/** OpenPose's order of the body's points, by mmpose's (wholebody.py); 17 is the neck, between the shoulders. */
const MMPOSE = [17, 6, 8, 10, 7, 9, 12, 14, 16, 13, 15, 2, 1, 4, 3];
const OPENPOSE = [1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17];

function poseOf(points: readonly Scored[]): Pose {
  const [one, other] = [points[5]!, points[6]!];
  const neck: Scored = {
    x: (one.x + other.x) / 2,
    y: (one.y + other.y) / 2,
    score: one.score > SEEN && other.score > SEEN ? 1 : 0,
  };
  const all = [...points.slice(0, 17), neck, ...points.slice(17)];
  const placed = [...all];
  OPENPOSE.forEach((into, at) => (placed[into] = all[MMPOSE[at]!]!));
  const seen = placed.map(({ x, y, score }) => (score >= SEEN ? { x, y } : undefined));
  const part = (from: number, to: number): PosePoints | undefined => {
    const points = seen.slice(from, to);
    return points.some((point) => point !== undefined) ? points : undefined;
  };
  const body = seen.slice(0, 18);
  const face = part(24, 92);
  return {
    body,
    leftHand: part(92, 113),
    rightHand: part(113, 134),
    // OpenPose's faces have the eyes, too.
    face: face && [...face, body[14], body[15]],
  };
}
