/** Narrow networks of every architecture, and detectors at their real size, against the reference (tools/reference/faces.py). */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/compute/graph.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { facePixels } from '../../../src/models/faces/face-pixels.js';
import { buildCodeFormer } from '../../../src/models/faces/networks/codeformer.js';
import { buildGfpgan } from '../../../src/models/faces/networks/gfpgan.js';
import { buildParseNet } from '../../../src/models/faces/networks/parsenet.js';
import { buildRestoreFormer } from '../../../src/models/faces/networks/restoreformer.js';
import { buildRetinaFace } from '../../../src/models/faces/networks/retinaface.js';
import { buildYoloFace } from '../../../src/models/faces/networks/yolov5-face.js';
import {
  retinaFaceInput,
  faceScore,
  retinaFaceDetections,
} from '../../../src/models/faces/retinaface-detection.js';
import { yoloDetections, yoloInput } from '../../../src/models/faces/yolo-detection.js';
import type { Detection } from '../../../src/models/faces/detection.js';
import type { WeightSource } from '../../../src/models/weights/weight-source.js';
import { everyPlane, smoothPicture } from '../../support/faces.js';
import { fixtureManifest, goldenTensors, maxDifference, relativeRms } from '../../support/golden.js';
import { syntheticWeights } from '../../support/synthetic-weights.js';

const reference = goldenTensors('faces/reference.safetensors');
const golden = goldenTensors('faces/golden.safetensors');
const weightsOf = (name: string) => syntheticWeights(name, fixtureManifest(`faces/${name}`));

const backend = createOnnxBackend({ threads: 2 });

async function run(graph: Graph, inputs: Readonly<Record<string, Tensor>>) {
  const program = await backend.load(graph);
  const outputs = await program.run(inputs);
  await program.dispose();
  return outputs;
}

interface NetworkCase {
  readonly name: string;
  readonly build: (weights: WeightSource) => Graph;
  /** The name's when left out. */
  readonly manifest?: string;
  /** How many rows and columns lie between those that are compared. */
  readonly step?: number;
  readonly inputs?: Readonly<Record<string, Tensor>>;
}

describe('networks', () => {
  const pixels = facePixels(smoothPicture(reference('face.small'), 512, 512));
  const fidelity = tensor([1, 1, 1, 1], new Float32Array([0.4]));
  const cases: readonly NetworkCase[] = [
    {
      name: 'small-codeformer.0',
      build: (weights) => buildCodeFormer(weights, false),
      manifest: 'small-codeformer',
    },
    {
      name: 'small-codeformer.0.4',
      build: (weights) => buildCodeFormer(weights, true),
      manifest: 'small-codeformer',
      inputs: { fidelity },
    },
    { name: 'small-gfpgan', build: buildGfpgan },
    { name: 'small-gfpgan-whole', build: buildGfpgan },
    { name: 'small-restoreformer', build: buildRestoreFormer },
    { name: 'small-parsenet', build: buildParseNet, step: 32 },
  ];

  it.each(cases)('$name', async ({ name, build, manifest = name, step = 16, inputs = {} }) => {
    const outputs = await run(build(weightsOf(manifest)), { pixels, ...inputs });
    const [output] = Object.values(outputs);
    expect(relativeRms(everyPlane(output!, step), reference(name))).toBeLessThan(2e-5);
  });

  it.each(['mobile0.25', 'resnet50'])('RetinaFace, %s', async (name) => {
    const { shape, data } = golden('face.photo_bgr');
    const [height, width] = shape as [number, number, number];
    const photo = { values: data, height, width, bytes: true };
    const graph = buildRetinaFace(weightsOf(`retinaface-${name}`));
    const outputs = await run(graph, { pixels: retinaFaceInput(photo) });
    const part = (output: string, key: string) => {
      const expected = golden(`retinaface-${name}.${key}`);
      return [tensor(expected.shape, outputs[output]!.data), expected] as const;
    };
    expect(relativeRms(...part('boxes', 'loc'))).toBeLessThan(2e-5);
    expect(relativeRms(...part('landmarks', 'landm'))).toBeLessThan(2e-5);
    const [classes, conf] = part('classes', 'conf');
    const scores = Float32Array.from(classes.data, (_, index) =>
      faceScore(classes.data[index ^ 1]!, classes.data[index]!),
    );
    expect(relativeRms(tensor(conf.shape, scores), conf)).toBeLessThan(2e-5);
    const [threshold] = golden(`retinaface-${name}.threshold`).data;
    const found = retinaFaceDetections(outputs, photo, threshold);
    if (name === 'resnet50') expect(found).toEqual([]);
    else expect(maxDifference(rowsOf(found), golden(`retinaface-${name}.detections`))).toBeLessThan(0.01);
  });
});

describe('faces in a picture of odd size', () => {
  const photo = smoothPicture(reference('photo.small'), 120, 96, 117, 83);

  it('RetinaFace', async () => {
    const threshold = reference('retinaface.threshold').data[0]!;
    const graph = buildRetinaFace(weightsOf('retinaface-mobile0.25'));
    const outputs = await run(graph, { pixels: retinaFaceInput(photo) });
    const found = rowsOf(retinaFaceDetections(outputs, photo, threshold));
    expect(maxDifference(found, reference('retinaface.detections'))).toBeLessThan(0.01);
  });

  it.each(['yolov5n', 'yolov5l'])('%s', async (name) => {
    const anchors = reference('yolo.anchors').data;
    const pixels = yoloInput(photo);
    expect(pixels.shape).toEqual([1, 3, 128, 128]);
    const outputs = await run(buildYoloFace(weightsOf(name)), { pixels });
    for (const level of name === 'yolov5n' ? [0, 1, 2] : [1, 2]) {
      const expected = byPlace(reference(`${name}.level${level}`));
      expect(relativeRms(outputs[`level${level}`]!, expected)).toBeLessThan(2e-5);
    }
    const found = rowsOf(yoloDetections(outputs, anchors, pixels, photo, 0.251));
    expect(found).toEqual(reference(`${name}.detections`));
  });
});

/** Boxes, scores and points in a row, as the reference returns them. */
function rowsOf(found: readonly Detection[]): Tensor {
  const rows = found.flatMap(({ box, score, landmarks }) => [...box, score, ...landmarks.flat()]);
  return tensor([found.length, 15], Float32Array.from(rows));
}

/** 1×A×H×W×16 as 1×(H·W)×(A·16). */
function byPlace({ shape, data }: Tensor): Tensor {
  const [, anchors, height, width, numbers] = shape as [number, number, number, number, number];
  const places = height * width;
  const result = tensor([1, places, anchors * numbers]);
  for (let anchor = 0; anchor < anchors; anchor++) {
    for (let place = 0; place < places; place++) {
      const from = (anchor * places + place) * numbers;
      result.data.set(data.subarray(from, from + numbers), (place * anchors + anchor) * numbers);
    }
  }
  return result;
}
