/** DWPose and its drawings, beside comfyui_controlnet_aux's own and OpenCV. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { createFolders } from '../../src/models/folders/folders.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import type { ModelStore } from '../../src/models/model-store.js';
import { createForeignModels } from '../../src/models/onnx/foreign-model.js';
import { drawPoses, type PosePoints } from '../../src/models/poses/draw-poses.js';
import { nodeClasses } from '../../src/nodes/index.js';
import type { PoseKeypoints } from '../../src/nodes/preprocessors/poses.js';
import { fixture } from '../support/golden.js';
import { nodeContext, temporaryFolder } from '../support/node-context.js';
import { referenceCases } from '../support/reference-cases.js';

type Points = readonly (readonly [number, number] | null)[];

interface Drawn {
  readonly height: number;
  readonly width: number;
  readonly stick: boolean;
  readonly picture: string;
  readonly poses: readonly Readonly<Record<'body' | 'leftHand' | 'rightHand' | 'face', Points>>[];
}

interface Case {
  readonly picture: string;
  readonly hint: string;
  readonly detector: string;
  readonly resolution: number;
  readonly people: readonly Readonly<Record<'body' | 'face' | 'left' | 'right', readonly number[]>>[];
}

const file = 'poses/poses.safetensors';
const { cases, tensor: golden } = referenceCases<Case>(file);
const opened = openSafetensors(fixture(file));
const drawn = JSON.parse(opened.metadata['drawn']!) as readonly Drawn[];
opened.file.close();

const onnx = createForeignModels();

describe('poses are drawn as OpenCV draws them', () => {
  it.each(drawn)('$width×$height', ({ height, width, stick, picture, poses }) => {
    const placed = (points: Points): PosePoints =>
      points.map((point) => (point === null ? undefined : { x: point[0], y: point[1] }));
    const { data } = drawPoses(
      poses.map(({ body, leftHand, rightHand, face }) => ({
        body: placed(body),
        leftHand: placed(leftHand),
        rightHand: placed(rightHand),
        face: placed(face),
      })),
      height,
      width,
      { body: true, hands: true, face: true, scalesSticks: stick },
    );
    const [colours, which] = [golden(`${picture}.colours`), golden(picture)];
    const wrong = which.data.filter((colour, at) =>
      [0, 1, 2].some((c) => data[at * 3 + c] !== colours.data[colour * 3 + c]),
    );
    // Lines that leave the picture may go by a pixel beside OpenCV's.
    const leaves = poses.some(({ body }) =>
      body.some((point) => point !== null && (point[0] < 0 || point[1] < 0)),
    );
    expect(wrong.length / which.data.length).toBeLessThanOrEqual(leaves ? 2e-2 : 1e-3);
  });
});

describe("DWPreprocessor is comfyui_controlnet_aux's", () => {
  const run = async (inputs: object) => {
    const models = temporaryFolder();
    mkdirSync(join(models, 'annotators'));
    for (const name of ['yolox_l.onnx', 'dw-ll_ucoco_384.onnx']) {
      copyFileSync(fixture(`poses/${name}`), join(models, 'annotators', name));
    }
    const folders = createFolders({ models, input: models, output: models, temp: models });
    const context = { ...nodeContext(), folders, models: { onnx } as ModelStore };
    const { outputs } = (await nodeClasses.get('DWPreprocessor')!.run(inputs as never, context)) as {
      readonly outputs: readonly [Tensor, readonly PoseKeypoints[]];
    };
    return outputs;
  };

  it.each(cases)(
    '$picture, people found by $detector',
    async ({ picture, hint, detector, resolution, people }) => {
      const [hints, [found]] = await run({
        image: enlarged(golden(picture)),
        bbox_detector: detector,
        resolution,
      });
      found!.people.forEach((person, at) => {
        const expected = people[at]!;
        expectPoints(person.pose_keypoints_2d, expected.body);
        expectPoints(person.face_keypoints_2d, expected.face);
        expectPoints(person.hand_left_keypoints_2d, expected.left);
        expectPoints(person.hand_right_keypoints_2d, expected.right);
      });
      expect(found!.people).toHaveLength(people.length);
      const expected = golden(hint);
      const [rows = 0, columns = 0] = expected.shape;
      const width = hints.shape[2]!;
      expect([Math.ceil(hints.shape[1]! / 2), Math.ceil(width / 2)]).toEqual([rows, columns]);
      const errors = expected.data.filter((value, at) => {
        const [c, x, y] = [at % 3, Math.floor(at / 3) % columns, Math.floor(at / 3 / columns)];
        return Math.abs(Math.round(hints.data[(2 * y * width + 2 * x) * 3 + c]! * 255) - value) > 1;
      });
      expect(errors.length / expected.data.length).toBeLessThanOrEqual(1e-3);
    },
  );

  it('says which models are not there', async () => {
    const image = enlarged(golden('picture.1'));
    await expect(run({ image, bbox_detector: 'yolo_nas_l_fp16.onnx' })).rejects.toThrow(
      /yolo_nas_l_fp16\.onnx isn't there/,
    );
    await expect(run({ image, pose_estimator: 'dw-ll_ucoco.onnx' })).rejects.toThrow(/dw-ll_ucoco\.onnx/);
  });
});

/** Squares of ten pixels a side. */
function enlarged({ shape: [rows = 0, columns = 0], data }: Tensor): Tensor {
  const image = tensor([1, rows * 10, columns * 10, 3]);
  image.data.forEach((_, at) => {
    const [c, x, y] = [at % 3, Math.floor(at / 3) % (columns * 10), Math.floor(at / 30 / columns)];
    image.data[at] = data[(Math.floor(y / 10) * columns + Math.floor(x / 10)) * 3 + c]! / 255;
  });
  return image;
}

function expectPoints(actual: readonly number[] | null, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, at) => {
    expect(actual![at]).toBeCloseTo(value, 3);
  });
}
