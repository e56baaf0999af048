/** CropFace's batch of faces (facerestore_cf __init__.py, crop_face). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import { FACE_SIZE } from './alignment.js';
import type { Picture } from './picture.js';

/**
 * N×512×512×3 of every picture's faces. A picture without one leaves a place that is black, unless the batch had to grow
 * beyond one row a picture before it: then it shows again what the reference's numpy.resize repeats there.
 */
export function croppedFaces(pictures: readonly (readonly Picture[])[]): Tensor {
  let rows: (Picture | undefined)[] = pictures.map(() => undefined);
  let next = 0;
  for (const faces of pictures) {
    if (faces.length === 0) next++;
    if (rows.length < next + faces.length) rows = repeated(rows, next + faces.length);
    for (const face of faces) rows[next++] = face;
  }
  const size = FACE_SIZE * FACE_SIZE * 3;
  const batch = tensor([rows.length, FACE_SIZE, FACE_SIZE, 3]);
  rows.forEach((face, row) => {
    if (face === undefined) return;
    for (let i = 0; i < size; i += 3) {
      for (let c = 0; c < 3; c++) batch.data[row * size + i + c] = face.values[i + 2 - c]! / 255;
    }
  });
  return batch;
}

/** numpy.resize: the rows over and over. */
function repeated<Row>(rows: readonly Row[], count: number): Row[] {
  return Array.from({ length: count }, (_, index) => rows[index % rows.length]!);
}
