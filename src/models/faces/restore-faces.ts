/**
 * Faces found, restored and put back, picture by picture (facerestore_cf __init__.py, and facelib/utils/face_restoration_helper.py
 * with an upscale factor of 1, parsing and 512-pixel faces).
 */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { pasteFace } from '../../native/addon.js';
import { alignedFace, alignment, FACE_SIZE, inverted, type Landmarks } from './alignment.js';
import { chosen, type Detect, type FaceChoice } from './detection.js';
import type { FaceDetector, FaceParser, FaceRestorer } from './face-model.js';
import { faceOf, facePixels } from './face-pixels.js';
import { pictureOf, resizeBy, resizeTo, type Picture } from './picture.js';

/** What faces are restored with; models are loaded when they are first used, and kept by their programs' cache. */
export interface FaceTools {
  readonly restorer: FaceRestorer;
  readonly detector: FaceDetector;
  readonly parser: FaceParser;
}

export interface FaceOptions {
  /** 0 to 1: how close CodeFormer stays to the picture; 0.5 when left out, as facerestore_cf has it. */
  readonly fidelity?: number;
  /** All when left out. */
  readonly choice?: FaceChoice;
  /** Looked at before each picture and each face. */
  readonly signal?: AbortSignal;
  /** Told of each picture that is done, and how many faces it had. */
  readonly progress?: (done: number, of: number, faces: number) => void;
}

const DEFAULT_FIDELITY = 0.5;

/** Pictures whose shorter side is less are enlarged to it, and shrunk again when faces are restored. */
const LEAST_SIDE = 512;
/** Detection works on pictures whose shorter side is at least this. */
const DETECTION_SIDE = 640;
/** Pixels, as `eyeDistance` counts them; smaller faces are passed over. */
const LEAST_EYE_DISTANCE = 5;

/**
 * Restores the faces in `image`, N×H×W×C in [0, 1]; N×H×W×3 in whole 255ths is returned, as facerestore_cf cuts them off even
 * where there is no face.
 */
export async function restoreFaces(
  image: Tensor,
  tools: FaceTools,
  options: FaceOptions = {},
): Promise<Tensor> {
  const [count = 0, height = 0, width = 0] = image.shape;
  const result = tensor([count, height, width, 3]);
  for (let index = 0; index < count; index++) {
    options.signal?.throwIfAborted();
    const { picture, faces } = await restorePicture(pictureOf(image, index), tools, options);
    writeRow(picture, result, index);
    options.progress?.(index + 1, count, faces);
  }
  return result;
}

async function restorePicture(
  original: Picture,
  { restorer, detector, parser }: FaceTools,
  { fidelity = DEFAULT_FIDELITY, choice = 'all', signal }: FaceOptions,
): Promise<{ readonly picture: Picture; readonly faces: number }> {
  const picture = enlarged(original);
  const matrices = await findFaces(picture, detector.detect, choice);
  const restored: PlacedFace[] = [];
  for (const matrix of matrices) {
    signal?.throwIfAborted();
    const face = await restorer.restore(alignedFace(picture, matrix), fidelity);
    restored.push({ face, matrix: inverted(matrix) });
  }
  const pasted = await pasteFaces(picture, restored, parser);
  if (picture === original) return { picture: pasted, faces: restored.length };
  const back = resizeBy(pasted, original.height / pasted.height, original.width / pasted.width);
  return { picture: back, faces: restored.length };
}

/** Every face of each picture, aligned and rounded; a picture's list is empty where it has none. */
export async function cropFaces(
  image: Tensor,
  detector: FaceDetector,
  signal?: AbortSignal,
): Promise<Picture[][]> {
  const pictures: Picture[][] = [];
  for (let index = 0; index < (image.shape[0] ?? 0); index++) {
    signal?.throwIfAborted();
    const picture = enlarged(pictureOf(image, index));
    const matrices = await findFaces(picture, detector.detect, 'all');
    pictures.push(matrices.map((matrix) => faceOf(facePixels(alignedFace(picture, matrix)))));
  }
  return pictures;
}

export function enlarged(picture: Picture): Picture {
  const shorter = Math.min(picture.height, picture.width);
  if (shorter >= LEAST_SIDE) return picture;
  const factor = LEAST_SIDE / shorter;
  return resizeBy(picture, factor, factor);
}

/** Matrices that lead from the picture to each aligned face. */
export async function findFaces(
  picture: Picture,
  detect: Detect,
  choice: FaceChoice,
): Promise<Float64Array[]> {
  const scale = Math.max(1, DETECTION_SIDE / Math.min(picture.height, picture.width));
  const searched = resizeTo(picture, Math.trunc(picture.height * scale), Math.trunc(picture.width * scale));
  const found = (await detect(searched))
    .map(({ box, score, landmarks }) => ({
      box: box.map((value) => value / scale) as unknown as typeof box,
      score,
      landmarks: landmarks.map(([x, y]) => [x / scale, y / scale]) as unknown as Landmarks,
    }))
    .filter(({ landmarks }) => eyeDistance(landmarks) >= LEAST_EYE_DISTANCE);
  return chosen(found, choice, picture)
    .map(({ landmarks }) => alignment(landmarks))
    .filter((matrix) => matrix !== undefined);
}

/**
 * What the reference takes for the distance of the eyes: the difference of their heights, and how far the nose lies beside the
 * right one (its columns are counted from the box, not from the points).
 */
function eyeDistance([left, right, nose]: Landmarks): number {
  return Math.hypot(left[1] - right[1], right[0] - nose[0]);
}

/** A restored face, and the matrix that leads from it to the picture. */
export interface PlacedFace {
  readonly face: Picture;
  readonly matrix: Float64Array;
}

/** The picture with the faces in it, later ones over earlier ones, cut to whole numbers. */
export async function pasteFaces(
  { values, height, width }: Picture,
  faces: readonly PlacedFace[],
  parser: FaceParser,
): Promise<Picture> {
  const canvas = faces.length === 0 ? values : Float64Array.from(values);
  for (const { face, matrix } of faces) {
    const parsed = await parser.parse(face);
    pasteFace(canvas as Float64Array, height, width, face.values, FACE_SIZE, parsed, matrix);
  }
  return { values: Float32Array.from(canvas, Math.trunc), height, width, bytes: true };
}

function writeRow({ values }: Picture, into: Tensor, index: number): void {
  const start = index * values.length;
  for (let i = 0; i < values.length; i += 3) {
    for (let c = 0; c < 3; c++) into.data[start + i + c] = values[i + 2 - c]! / 255;
  }
}
