import { afterAll, expect, test } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import { ModelError } from '../../../src/models/model-error.js';
import { openModelFile } from '../../../src/models/files/model-file.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { createSafetyChecker } from '../../../src/models/vision/safety-checker.js';
import { fixture, goldenTensors, tinyCheckpoint } from '../../support/golden.js';

/** Of tools/reference/safety_checker.py. */
const golden = goldenTensors('safety-checker/pictures.safetensors');
const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());
const weightsOf = (path: string) => safetensorsWeights(openModelFile(path));

test('pictures are turned away as diffusers does: for a concept, or for less where special care is taken', async () => {
  const pictures = golden('pictures');
  const checker = createSafetyChecker(weightsOf(fixture('safety-checker/model.safetensors')), programs);
  const flags = await checker.check(
    tensor(
      pictures.shape,
      pictures.data.map((value) => value / 255),
    ),
  );
  expect(flags.map(Number)).toEqual([...golden('flags').data]);
  expect(() => createSafetyChecker(weightsOf(tinyCheckpoint('sd15')), programs)).toThrow(ModelError);
});
