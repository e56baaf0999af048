/** Restoring faces (facerestore_cf's nodes; ComfyUI-facerestore_cf __init__.py). */
import { cropFaces, restoreFaces } from '../../models/faces/restore-faces.js';
import { DETECTOR_NAMES, openDetector, openParser, openRestorer } from '../../models/faces/face-files.js';
import { croppedFaces } from '../../models/faces/crops.js';
import { combo, defineNode, float, link } from '../definition.js';
import { modelFingerprint } from '../files/model-files.js';

const category = 'facerestore_cf';

const facedetection = combo(DETECTOR_NAMES, { tooltip: 'What finds the faces.' });

export const faceRestoreModelLoader = defineNode({
  name: 'FaceRestoreModelLoader',
  displayName: 'FaceRestoreModelLoader',
  category,
  description: 'Loads a model that restores faces: CodeFormer, GFPGAN 1.2 to 1.4, or RestoreFormer.',
  required: {
    model_name: combo((folders) => folders.list('facerestore_models'), { tooltip: 'The model to load.' }),
  },
  optional: {},
  outputs: [{ type: 'FACERESTORE_MODEL', name: 'FACERESTORE_MODEL' }],
  fingerprint: ({ model_name }, folders) => modelFingerprint(folders, 'facerestore_models', model_name),
  run: ({ model_name }, context) => ({ outputs: [openRestorer(context, model_name)] }),
});

export const faceRestoreCFWithModel = defineNode({
  name: 'FaceRestoreCFWithModel',
  displayName: 'FaceRestoreCFWithModel',
  category,
  description: 'Finds faces, restores each and puts it back behind a soft mask.',
  required: {
    facerestore_model: link('FACERESTORE_MODEL'),
    image: link('IMAGE'),
    facedetection,
    codeformer_fidelity: float({
      default: 0.5,
      min: 0,
      max: 1,
      step: 0.05,
      tooltip: 'How close CodeFormer stays to the picture; other models take no notice of it.',
    }),
  },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ facerestore_model: restorer, image, facedetection, codeformer_fidelity: fidelity }, context) {
    const tools = { restorer, detector: openDetector(context, facedetection), parser: openParser(context) };
    const restored = await restoreFaces(image, tools, {
      fidelity,
      signal: context.signal,
      progress: (step, totalSteps) => {
        context.progress({ step, totalSteps });
      },
    });
    return { outputs: [restored] };
  },
});

export const cropFace = defineNode({
  name: 'CropFace',
  displayName: 'CropFace',
  category,
  description: 'Cuts the faces out of pictures, each upright and 512 pixels wide.',
  required: { image: link('IMAGE'), facedetection },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run({ image, facedetection }, context) {
    const faces = await cropFaces(image, openDetector(context, facedetection), context.signal);
    return { outputs: [croppedFaces(faces)] };
  },
});
