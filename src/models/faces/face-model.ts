/** A model that finds, parses or restores faces, told by its keys. */
import type { Graph } from '../../compute/graph.js';
import { tensor, type Tensor } from '../../compute/tensor.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import { underPrefix } from '../weights/weight-views.js';
import { FACE_SIZE } from './alignment.js';
import type { Detect } from './detection.js';
import { faceOf, facePixels } from './face-pixels.js';
import { valuesOf } from './networks/batch-norm.js';
import { buildCodeFormer, isCodeFormer } from './networks/codeformer.js';
import { buildGfpgan, isGfpgan } from './networks/gfpgan.js';
import { buildParseNet, isParseNet } from './networks/parsenet.js';
import { buildRestoreFormer, isRestoreFormer } from './networks/restoreformer.js';
import { buildRetinaFace, isRetinaFace } from './networks/retinaface.js';
import { buildYoloFace, isYoloFace, yoloHead } from './networks/yolov5-face.js';
import type { Picture } from './picture.js';
import { retinaFaceDetections, retinaFaceInput } from './retinaface-detection.js';
import { yoloDetections, yoloInput } from './yolo-detection.js';

/** Restores an aligned face. Light and immutable: weights are read at first use. */
export interface FaceRestorer {
  readonly role: 'restorer';
  readonly architecture: 'CodeFormer' | 'GFPGAN' | 'RestoreFormer';
  /** Changes when its file does. */
  readonly identity: string;
  /**
   * A face of whole numbers from one of `FACE_SIZE` pixels. `fidelity`, from 0 to 1, is how close CodeFormer stays to what it is given;
   * the others take no notice of it.
   */
  restore(face: Picture, fidelity: number): Promise<Picture>;
}

/** Finds faces. */
export interface FaceDetector {
  readonly role: 'detector';
  readonly identity: string;
  readonly detect: Detect;
}

/** Tells face from background. */
export interface FaceParser {
  readonly role: 'parser';
  readonly identity: string;
  /** 255 where there is face, brows, eyes, nose, mouth, neck or ears, else 0. */
  parse(face: Picture): Promise<Float64Array>;
}

export type FaceModel = FaceRestorer | FaceDetector | FaceParser;

/** What `weights` are. Throws `ModelError` when that is no model for faces. */
export function createFaceModel(weights: WeightSource, programs: ProgramCache): FaceModel {
  const own = withoutModule(weights);
  const run: Run = async (name, build, inputs) =>
    programs.use(
      `${name} ${own.identity}`,
      () => graphOf(own, () => build(own)),
      (program) => program.run(inputs),
    );
  const { identity } = own;
  const restorer = (architecture: 'GFPGAN' | 'RestoreFormer', build: Build): FaceRestorer => ({
    role: 'restorer',
    architecture,
    identity,
    restore: async (face) =>
      faceOf((await run(architecture, build, { pixels: facePixels(face) }))['restored']!),
  });

  if (isCodeFormer(own))
    return { role: 'restorer', architecture: 'CodeFormer', identity, restore: codeFormer(run) };
  if (isGfpgan(own)) return restorer('GFPGAN', buildGfpgan);
  if (isRestoreFormer(own)) return restorer('RestoreFormer', buildRestoreFormer);
  if (isRetinaFace(own)) {
    const detect: Detect = async (picture) =>
      retinaFaceDetections(
        await run('retinaface', buildRetinaFace, { pixels: retinaFaceInput(picture) }),
        picture,
      );
    return { role: 'detector', identity, detect };
  }
  if (isYoloFace(own)) return { role: 'detector', identity, detect: yolo(own, run) };
  if (isParseNet(own)) {
    const parse = async (face: Picture) =>
      faceMask((await run('parsenet', buildParseNet, { pixels: facePixels(face) }))['logits']!);
    return { role: 'parser', identity, parse };
  }
  throw new ModelError(
    `${weights.path} is no model for faces that is known: they are CodeFormer, GFPGAN 1.2 to 1.4 and RestoreFormer, ` +
      'RetinaFace (ResNet-50, MobileNet 0.25) and YOLOv5-face (l, n), and ParseNet',
  );
}

type Build = (weights: WeightSource) => Graph;
type Run = (
  name: string,
  build: Build,
  inputs: Readonly<Record<string, Tensor>>,
) => Promise<Record<string, Tensor>>;

/** Files saved from a model on several GPUs have a name before each key. */
function withoutModule(weights: WeightSource): WeightSource {
  for (const key of weights.keys()) if (!key.startsWith('module.')) return weights;
  return underPrefix(weights, 'module.');
}

/** Without fidelity the layers that bring it about are left out. */
function codeFormer(run: Run): FaceRestorer['restore'] {
  return async (face, fidelity) => {
    const pixels = facePixels(face);
    const { restored } =
      fidelity > 0
        ? await run('CodeFormer', (weights) => buildCodeFormer(weights, true), {
            pixels,
            fidelity: tensor([1, 1, 1, 1], new Float32Array([fidelity])),
          })
        : await run('CodeFormer without fidelity', (weights) => buildCodeFormer(weights, false), { pixels });
    return faceOf(restored!);
  };
}

function yolo(weights: WeightSource, run: Run): Detect {
  let anchors: Float32Array | undefined;
  return async (picture) => {
    anchors ??= valuesOf(weights.weight(`${yoloHead(weights)}.anchor_grid`));
    const pixels = yoloInput(picture);
    return yoloDetections(await run('yolov5-face', buildYoloFace, { pixels }), anchors, pixels, picture);
  };
}

/** Of ParseNet's 19 classes, those that are not background, hat, earring, hair and clothes, in the reference's count. */
const FACE_CLASSES = [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0];

function faceMask(logits: Tensor): Float64Array {
  const plane = FACE_SIZE * FACE_SIZE;
  const mask = new Float64Array(plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    let best = 0;
    for (let kind = 1; kind < FACE_CLASSES.length; kind++) {
      if (logits.data[kind * plane + pixel]! > logits.data[best * plane + pixel]!) best = kind;
    }
    mask[pixel] = 255 * FACE_CLASSES[best]!;
  }
  return mask;
}
