/** Whole pictures through detection's results, alignment, restoration and paste-back, against facerestore_cf's own nodes. */
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { alignedFace, alignment, type Landmarks } from '../../../src/models/faces/alignment.js';
import { croppedFaces } from '../../../src/models/faces/crops.js';
import { chosen, type Detection } from '../../../src/models/faces/detection.js';
import { createFaceModel, type FaceDetector, type FaceModel } from '../../../src/models/faces/face-model.js';
import type { Picture } from '../../../src/models/faces/picture.js';
import { cropFaces, enlarged, restoreFaces } from '../../../src/models/faces/restore-faces.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { differences, everyPixel, readPicture, smoothPicture } from '../../support/faces.js';
import { fixtureManifest, goldenTensors, maxDifference } from '../../support/golden.js';
import { syntheticWeights } from '../../support/synthetic-weights.js';

const reference = goldenTensors('faces/reference.safetensors');
const golden = goldenTensors('faces/golden.safetensors');
const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
afterAll(() => programs.dispose());

function model<Role extends FaceModel['role']>(name: string, role: Role): Extract<FaceModel, { role: Role }> {
  const made = createFaceModel(syntheticWeights(name, fixtureManifest(`faces/${name}`)), programs);
  if (made.role !== role) throw new Error(`${name} is taken for a ${made.role}`);
  return made as Extract<FaceModel, { role: Role }>;
}

const restorer = model('small-gfpgan', 'restorer');
const parser = model('small-parsenet', 'parser');

/** Finds what the reference was told to find, picture by picture. */
function detectorOf(...pictures: readonly (readonly Detection[])[]): FaceDetector {
  const rest = [...pictures];
  return { role: 'detector', identity: 'told', detect: () => Promise.resolve(rest.shift() ?? []) };
}

function facesOf(name: string): readonly Detection[] {
  const { shape, data } = reference(`${name}.faces`);
  return Array.from({ length: shape[0]! }, (_, index) => {
    const at = (from: number, to: number) => [...data.subarray(index * 15 + from, index * 15 + to)];
    const [score] = at(4, 5);
    const landmarks = [5, 7, 9, 11, 13].map((from) => at(from, from + 2));
    return {
      box: at(0, 4) as unknown as Detection['box'],
      score: score!,
      landmarks: landmarks as unknown as Landmarks,
    };
  });
}

function imageOf({ values, height, width }: Picture): Tensor {
  const image = tensor([1, height, width, 3]);
  for (let i = 0; i < values.length; i += 3) {
    for (let c = 0; c < 3; c++) image.data[i + c] = values[i + 2 - c]! / 255;
  }
  return image;
}

function repeated({ shape, data }: Tensor, count: number): Tensor {
  const result = tensor([count, ...shape.slice(1)]);
  for (let row = 0; row < count; row++) result.data.set(data, row * data.length);
  return result;
}

/** Every `step`th row and column of N×H×W×3, as whole 255ths. */
function everyImage({ shape, data }: Tensor, step: number): Tensor {
  const [count, height, width] = shape as [number, number, number, number];
  const rows = Array.from({ length: count }, (_, row) => {
    const values = data.slice(row * height * width * 3, (row + 1) * height * width * 3);
    return everyPixel({ values: values.map((value) => value * 255), height, width, bytes: true }, step);
  });
  const result = tensor([count, ...rows[0]!.shape]);
  rows.forEach((row, index) => {
    result.data.set(row.data, index * row.data.length);
  });
  return result;
}

const in255ths = ({ shape, data }: Tensor): Tensor =>
  tensor(
    shape,
    data.map((value) => value * 255),
  );

const PICTURES = {
  small: [304, 408],
  large: [680, 560],
  none: [264, 520],
} as const;

function pictureNamed(name: keyof typeof PICTURES): Picture {
  const [height, width] = PICTURES[name];
  return smoothPicture(reference(`${name}.small`), height, width);
}

describe('restored pictures', () => {
  it.each([
    ['small', 'an enlarged one, with a face over its edge', 2],
    ['large', 'overlapping, tiny and distant faces', 5],
    ['none', 'no face', 0],
  ] as const)('%s: %s', async (name, _, faces) => {
    const detector = detectorOf(faces === 0 ? [] : facesOf(name));
    const restored = await restoreFaces(imageOf(pictureNamed(name)), { restorer, detector, parser });
    const expected = in255ths(reference(`${name}.restored`));
    const { mean, worst } = differences(
      everyImage(restored, 7),
      tensor([1, ...expected.shape], expected.data),
    );
    expect(mean).toBeLessThan(0.02);
    expect(worst).toBeLessThan(2.1);
  });

  it('stop when asked to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const restoring = restoreFaces(
      imageOf(pictureNamed('none')),
      { restorer, parser, detector: detectorOf() },
      { signal },
    );
    await expect(restoring).rejects.toThrow('enough');
  });
});

it('CropFace repeats earlier faces where the reference does', async () => {
  const faces = facesOf('small');
  const image = repeated(imageOf(pictureNamed('small')), 3);
  const cropped = croppedFaces(await cropFaces(image, detectorOf(faces, [], faces.slice(0, 1))));
  const { mean, worst } = differences(everyImage(cropped, 20), in255ths(reference('crops')));
  expect(mean).toBeLessThan(0.02);
  expect(worst).toBeLessThan(1.1);
});

it('the largest face alone, or the one in the middle', () => {
  const found = facesOf('large');
  const picture = pictureNamed('large');
  expect(chosen(found, 'all', picture)).toEqual(found);
  expect(chosen(found, 'largest', picture)).toEqual([found[0]]);
  expect(chosen(found, 'center', picture)).toEqual([found[0]]);
  expect(chosen(found, 'center', { ...picture, width: 700 })).toEqual([found[1]]);
  expect(chosen([], 'center', picture)).toEqual([]);
});

describe('alignment', () => {
  const { data } = golden('align.landmarks');
  const points = Array.from({ length: 10 }, (_, index) => [data[2 * index]!, data[2 * index + 1]!] as const);
  const matrices = [points.slice(0, 5), points.slice(5)].map((landmarks) =>
    alignment(landmarks as unknown as Landmarks)!,
  );

  it('is the least median of squares', () => {
    const found = tensor([2, 2, 3], Float32Array.from(matrices.flatMap((matrix) => [...matrix])));
    expect(maxDifference(found, golden('align.matrices'))).toBeLessThan(1e-3);
  });

  it('cuts what OpenCV cuts, to the last value', async () => {
    const picture = enlarged(await readPicture('align-input.png'));
    const crops = matrices.map((matrix) => everyPixel(alignedFace(picture, matrix), 8));
    const found = tensor([2, 64, 64, 3], Float32Array.from(crops.flatMap((crop) => [...crop.data])));
    expect(maxDifference(found, golden('align.crops_every8'))).toBe(0);
  });

  it('has no matrix for points in one place', () => {
    const point = [10, 10] as const;
    expect(alignment([point, point, point, point, point])).toBeUndefined();
  });
});
