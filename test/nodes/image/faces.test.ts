import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import { openFaceTools } from '../../../src/models/faces/face-files.js';
import { createFolders } from '../../../src/models/folders/folders.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { writeSyntheticCheckpoint } from '../../support/synthetic.js';
import { cropFace, faceRestoreCFWithModel, faceRestoreModelLoader } from '../../../src/nodes/image/faces.js';
import { fixtureManifest } from '../../support/golden.js';
import { nodeContext, temporaryFolder } from '../../support/node-context.js';

/** A context with models in ComfyUI's and A1111's folders: FOLDER/FILE, and the manifest that it is made from. */
function contextWith(files: Readonly<Record<string, string>>) {
  const root = temporaryFolder();
  for (const [name, manifest] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeSyntheticCheckpoint(fixtureManifest(`faces/${manifest}`), path);
  }
  const folders = createFolders({ models: root, input: root, output: root, temp: root });
  const programs = createProgramCache(createOnnxBackend({ threads: 2 }));
  return nodeContext({}, { folders, models: createModelStore({ programs, folders }) });
}

const restorer = { 'Codeformer/codeformer-v0.1.0.safetensors': 'small-codeformer' };
const detector = { 'facelib/detection_mobilenet0.25_Final.safetensors': 'retinaface-mobile0.25' };
const parser = { 'GFPGAN/parsing_parsenet.safetensors': 'small-parsenet' };
const facedetection = 'retinaface_mobile0.25';

/** A picture that nobody would take for a face: 2×70×50×3. */
const image = tensor(
  [2, 70, 50, 3],
  Float32Array.from({ length: 21_000 }, (_, index) => (index % 7) / 7),
);

it('cuts pictures without a face to 8 bits', async () => {
  const context = contextWith({ ...restorer, ...detector, ...parser });
  const model_name = context.folders
    .list('facerestore_models')
    .find((name) => name.startsWith('codeformer'))!;
  const loaded = await faceRestoreModelLoader.run({ model_name }, context);
  const [facerestore_model] = loaded.outputs;
  expect(facerestore_model.architecture).toBe('CodeFormer');
  const inputs = { facerestore_model, image, facedetection, codeformer_fidelity: 0.5 } as const;
  const { outputs } = await faceRestoreCFWithModel.run(inputs, context);
  const [restored] = outputs;
  expect(restored.shape).toEqual(image.shape);
  expect(restored.data.every((value) => Number.isInteger(Math.round(value * 255e4) / 1e4))).toBe(true);
  const cropped = await cropFace.run({ image, facedetection }, context);
  expect(cropped.outputs[0].shape).toEqual([2, 512, 512, 3]);
  expect(cropped.outputs[0].data.every((value) => value === 0)).toBe(true);
});

it('opens everything for one who has frames, by the beginning of a name', () => {
  const tools = openFaceTools(contextWith({ ...restorer, ...detector, ...parser }), {
    restorer: 'CodeFormer',
    detector: facedetection,
  });
  expect(tools.restorer.architecture).toBe('CodeFormer');
});

it('names a missing file, its folders and what is there instead', async () => {
  const context = contextWith({ ...restorer, ...detector });
  await expect(async () =>
    cropFace.run({ image, facedetection: 'retinaface_resnet50' }, context),
  ).rejects.toThrow(
    /detection_Resnet50_Final\.pth.*facedetection.*facelib.*GFPGAN.*detection_mobilenet0\.25_Final/,
  );
  expect(() => openFaceTools(context, { restorer: 'codeformer', detector: facedetection })).toThrow(
    /parsing_parsenet\.pth/,
  );
});

it('tells what a file is that is none of those asked for', () => {
  const context = contextWith({ 'facerestore_models/parsing.safetensors': 'small-parsenet' });
  expect(() => faceRestoreModelLoader.run({ model_name: 'parsing.safetensors' }, context)).toThrow(
    /parsing\.safetensors is a parser of faces, not a model that restores faces/,
  );
});
