/** The networks at their real size, against the reference; `npm run test:slow` runs it. */
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import type { Graph } from '../../../src/compute/graph.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { alignedFace, alignment, inverted, type Landmarks } from '../../../src/models/faces/alignment.js';
import { createFaceModel } from '../../../src/models/faces/face-model.js';
import { facePixels } from '../../../src/models/faces/face-pixels.js';
import { enlarged, pasteFaces } from '../../../src/models/faces/restore-faces.js';
import { buildCodeFormer } from '../../../src/models/faces/networks/codeformer.js';
import { buildGfpgan } from '../../../src/models/faces/networks/gfpgan.js';
import { buildParseNet } from '../../../src/models/faces/networks/parsenet.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { differences, everyPixel, everyPlane, readPicture } from '../../support/faces.js';
import { fixtureManifest, goldenTensors, relativeRms } from '../../support/golden.js';
import { syntheticWeights } from '../../support/synthetic-weights.js';

const golden = goldenTensors('faces/golden.safetensors');
const weightsOf = (name: string) => syntheticWeights(name, fixtureManifest(`faces/${name}`));
const backend = createOnnxBackend({ threads: 2 });
const programs = createProgramCache(backend);
afterAll(() => programs.dispose());

async function runOnFace(graph: Graph, inputs: Readonly<Record<string, Tensor>> = {}): Promise<Tensor> {
  const program = await backend.load(graph);
  const outputs = await program.run({ pixels: facePixels(await readPicture('face-input.png')), ...inputs });
  await program.dispose();
  return Object.values(outputs)[0]!;
}

describe('on a face', () => {
  it('ParseNet', async () => {
    const logits = await runOnFace(buildParseNet(weightsOf('parsenet')));
    expect(relativeRms(everyPlane(logits, 16), golden('parsenet.logits_every16'))).toBeLessThan(2e-5);
  });

  it('GFPGAN', async () => {
    const restored = await runOnFace(buildGfpgan(weightsOf('gfpgan')));
    expect(relativeRms(everyPlane(restored, 8), golden('gfpgan.every8'))).toBeLessThan(2e-5);
  });

  it.each([0, 0.7])('CodeFormer at fidelity %f', async (value) => {
    const fidelity = tensor([1, 1, 1, 1], new Float32Array([value]));
    const inputs = value === 0 ? {} : { fidelity };
    const restored = await runOnFace(buildCodeFormer(weightsOf('codeformer'), value > 0), inputs);
    const expected = golden(`codeformer.w${value.toFixed(1)}.every8`);
    expect(relativeRms(everyPlane(restored, 8), expected)).toBeLessThan(2e-5);
  });
});

it('two faces of a picture, turned into their negatives', async () => {
  const parser = createFaceModel(weightsOf('parsenet'), programs);
  if (parser.role !== 'parser') throw new Error(`ParseNet is taken for a ${parser.role}`);
  const picture = enlarged(await readPicture('align-input.png'));
  const { data } = golden('align.landmarks');
  const points = Array.from({ length: 10 }, (_, index) => [data[2 * index]!, data[2 * index + 1]!] as const);
  const faces = [points.slice(0, 5), points.slice(5)].map((landmarks) => {
    const matrix = alignment(landmarks as unknown as Landmarks)!;
    const face = alignedFace(picture, matrix);
    return { face: { ...face, values: face.values.map((value) => 255 - value) }, matrix: inverted(matrix) };
  });
  const pasted = everyPixel(await pasteFaces(picture, faces, parser), 4);
  const { mean, worst } = differences(pasted, golden('align.pasted_every4'));
  expect(mean).toBeLessThan(0.01);
  expect(worst).toBeLessThanOrEqual(1);
});
