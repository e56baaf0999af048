/** Networks that find things in pictures: ultralytics' YOLO, from files that hold their layers. */
import type { BytePicture } from '../../imaging/bytes.js';
import type { TorchModuleFile } from '../files/torch-file/torch-module.js';
import { PickleTuple, type PickleValue } from '../files/torch-file/values.js';
import { safetensorsWeights } from '../files/safetensors-weights.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import { yoloGraph, yoloHead } from './yolo-network.js';
import { letterbox, yoloObjects, type YoloObject } from './yolo-picture.js';

export interface FoundObject extends YoloObject {
  /** The kind's name in the file. */
  readonly label: string;
}

export interface ObjectDetector {
  readonly identity: string;
  /** Whether it outlines what it finds: whether objects have masks. */
  readonly outlines: boolean;
  /** What is surer than `threshold` (0 to 1) in a picture of three channels, the surest first. Rejects with `ModelError` for a damaged file. */
  find(picture: BytePicture, threshold: number): Promise<readonly FoundObject[]>;
}

/** Throws `ModelError` for a network of another kind. */
export function createObjectDetector(file: TorchModuleFile, programs: ProgramCache): ObjectDetector {
  const weights = safetensorsWeights(file.weights);
  const { network } = file;
  const head = yoloHead(network, weights);
  const stride = Math.max(...head.strides, 32);
  const [height, width] = trainedSize(file, stride);
  const labels = labelsOf(network.attributes.get('names'), head.classes);
  return {
    identity: weights.identity,
    outlines: head.masks > 0,
    async find(picture, threshold) {
      const input = letterbox(picture, { height, width, stride });
      const outputs = await programs.use(
        `yolo ${weights.identity}`,
        () => graphOf(weights, () => yoloGraph(network, weights)),
        (program) => program.run({ pixels: input.pixels }),
      );
      return yoloObjects(outputs, head, input, picture, threshold).map((found) => ({
        ...found,
        label: labels[found.kind]!,
      }));
    },
  };
}

const USUAL = 640;
const LARGEST = 4096;

/** The size at which it was trained, which ultralytics looks at pictures with: multiples of the coarsest level's stride. */
function trainedSize({ beside, network }: TorchModuleFile, stride: number): readonly [number, number] {
  const sizes = [beside.get('train_args'), network.attributes.get('args')].flatMap((settings) =>
    settings instanceof Map ? [settings.get('imgsz') ?? null] : [],
  );
  const size: PickleValue = sizes[0] ?? USUAL;
  const sides: readonly PickleValue[] =
    size instanceof PickleTuple
      ? size.items
      : Array.isArray(size)
        ? (size as readonly PickleValue[])
        : [size];
  const [height, width = height] = sides.map((side) =>
    typeof side === 'number' && side >= 1 && side <= LARGEST ? Math.ceil(side / stride) * stride : USUAL,
  );
  return [height ?? USUAL, width ?? USUAL];
}

function labelsOf(names: PickleValue | undefined, count: number): readonly string[] {
  const named: readonly PickleValue[] = Array.isArray(names) ? (names as readonly PickleValue[]) : [];
  const find = (at: number): PickleValue | undefined => (names instanceof Map ? names.get(at) : named[at]);
  return Array.from({ length: count }, (_, at) => {
    const name = find(at);
    return typeof name === 'string' ? name : String(at);
  });
}
