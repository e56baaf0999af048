/** Where the models for faces lie, by facerestore_cf's names (facelib/detection/__init__.py, facelib/parsing/__init__.py). */
import type { Folders } from '../folders/folders.js';
import { ModelError } from '../model-error.js';
import type { FaceDetector, FaceModel, FaceParser, FaceRestorer } from './face-model.js';
import type { FaceTools } from './restore-faces.js';

/** facerestore_cf's choices, and the files behind them; another format under the same name serves as well. */
const DETECTOR_FILES = {
  retinaface_resnet50: 'detection_Resnet50_Final',
  'retinaface_mobile0.25': 'detection_mobilenet0.25_Final',
  YOLOv5l: 'yolov5l-face',
  YOLOv5n: 'yolov5n-face',
} as const;

const PARSER_FILE = 'parsing_parsenet';

export type DetectorName = keyof typeof DETECTOR_FILES;

export const DETECTOR_NAMES = Object.keys(DETECTOR_FILES) as readonly DetectorName[];

interface Place {
  readonly models: { face(path: string): FaceModel };
  readonly folders: Folders;
}

/** Throws `ModelError` when the file is missing, naming it, the folders and the nearest names, or when it is something else. */
export function openDetector({ models, folders }: Place, name: DetectorName): FaceDetector {
  const path = findFile(folders, DETECTOR_FILES[name]);
  return asked(models.face(path), 'detector', path, 'finds faces');
}

export function openParser({ models, folders }: Place): FaceParser {
  const path = findFile(folders, PARSER_FILE);
  return asked(models.face(path), 'parser', path, 'parses faces');
}

/** By its name in `facerestore_models`. */
export function openRestorer({ models, folders }: Place, name: string): FaceRestorer {
  const path = folders.resolve('facerestore_models', name);
  return asked(models.face(path), 'restorer', path, 'restores faces');
}

export interface FaceModelNames {
  /** A file's name as listed, or the beginning of one in any case: `CodeFormer` for `codeformer-v0.1.0.pth`. */
  readonly restorer: string;
  /** `retinaface_resnet50` when left out. */
  readonly detector?: DetectorName;
}

/** Everything that faces are restored with. Throws `ModelError`. */
export function openFaceTools(
  place: Place,
  { restorer, detector = 'retinaface_resnet50' }: FaceModelNames,
): FaceTools {
  return {
    restorer: openRestorer(place, restorerName(place.folders, restorer)),
    detector: openDetector(place, detector),
    parser: openParser(place),
  };
}

function restorerName(folders: Folders, name: string): string {
  const names = folders.list('facerestore_models');
  const wanted = name.toLowerCase();
  const file = (listed: string) => listed.toLowerCase().split('/').at(-1)!;
  return (
    names.find((listed) => listed === name) ?? names.find((listed) => file(listed).startsWith(wanted)) ?? name
  );
}

/** Among models that find and parse, with the extension that the file happens to have. */
function findFile(folders: Folders, stem: string): string {
  const names = folders.list('facedetection');
  const found = names.find((name) => name.replace(/\.[^.]+$/, '') === stem);
  return folders.resolve('facedetection', found ?? `${stem}.pth`);
}

function asked<Role extends FaceModel['role']>(
  model: FaceModel,
  role: Role,
  path: string,
  what: string,
): Extract<FaceModel, { role: Role }> {
  if (model.role === role) return model as Extract<FaceModel, { role: Role }>;
  throw new ModelError(`${path} is a ${model.role} of faces, not a model that ${what}`);
}
