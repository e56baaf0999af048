/** Where a face lies, and where it is put to be restored (facerestore_cf facelib/utils/face_restoration_helper.py). */
import { warped, type Picture } from './picture.js';
import { estimateSimilarity, type Point, type Similarity } from './similarity.js';

/** Pixels of an aligned face's side. */
export const FACE_SIZE = 512;

/** Left eye, right eye, nose, left and right corner of the mouth. */
export type Landmarks = readonly [Point, Point, Point, Point, Point];

/** Of FFHQ's faces, at 512 pixels. */
const TEMPLATE: Landmarks = [
  [192.98138, 239.94708],
  [318.90277, 240.1936],
  [256.63416, 314.01935],
  [201.26117, 371.41043],
  [313.08905, 371.15118],
];

/** What lies beyond the picture: grey, as blue, green, red. */
const BORDER = [135, 133, 132];

/** Leads from a picture to the aligned face. Undefined for landmarks that all lie in one place. */
export function alignment(landmarks: Landmarks): Float64Array | undefined {
  const similarity = estimateSimilarity(landmarks, TEMPLATE);
  return similarity === undefined ? undefined : Float64Array.from(similarity);
}

export function alignedFace(picture: Picture, matrix: Float64Array): Picture {
  return warped(picture, matrix, FACE_SIZE, BORDER);
}

/** `cv2.invertAffineTransform`. */
export function inverted(matrix: Float64Array): Float64Array {
  const [m0, m1, m2, m3, m4, m5] = matrix as unknown as Similarity;
  const determinant = m0 * m4 - m1 * m3;
  const d = determinant === 0 ? 0 : 1 / determinant;
  const [a, b, c, e] = [m4 * d, -m1 * d, -m3 * d, m0 * d];
  return Float64Array.from([a, b, -a * m2 - b * m5, c, e, -c * m2 - e * m5]);
}
