import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { ModelError } from '../../../src/models/model-error.js';
import { openModelFile } from '../../../src/models/files/model-file.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { visionLayout } from '../../../src/models/vision/layouts.js';
import { preprocessed } from '../../../src/models/vision/preprocess.js';
import { createImageEncoder } from '../../../src/models/vision/vision-tower.js';
import { goldenTensors, relativeRms, syntheticCheckpoint, tinyCheckpoint } from '../../support/golden.js';
import {
  openLatentEngine,
  parityPicture,
  type LatentEngine,
  type WorkflowCase,
} from '../../support/latent-workflows.js';
import { referenceCases } from '../../support/reference-cases.js';

/** Of tools/reference/vision.py. */
const golden = goldenTensors('vision/encodings.safetensors');
const { cases, tensor } = referenceCases<WorkflowCase>('vision/workflows.safetensors');
const file = (name: string) => syntheticCheckpoint(`vision/${name}`);
const weightsOf = (path: string) => safetensorsWeights(openModelFile(path));
const CROPS = ['center', 'none'] as const;

const programs = createProgramCache(createOnnxBackend());
let tiny: LatentEngine;
beforeAll(async () => {
  tiny = await openLatentEngine({
    ...Object.fromEntries(
      ['clip-l', 'clip-h', 'clip-g', 'siglip'].map((name) => [`clip_vision/${name}.safetensors`, file(name)]),
    ),
    'style_models/style.safetensors': file('style'),
    'style_models/redux.safetensors': file('redux'),
    'checkpoints/unclip.safetensors': file('unclip'),
  });
});
afterAll(async () => {
  await tiny.close();
  await programs.dispose();
});

describe('pictures become the squares that ComfyUI makes of them', () => {
  it.each(CROPS)('cut or squeezed: %s', (crop) => {
    const plain = { mean: [0, 0, 0], deviation: [1, 1, 1] } as const;
    for (const size of [56, 96]) {
      const levels = preprocessed(parityPicture(), size, plain, crop).data.map((value) =>
        Math.round(value * 255),
      );
      expect([...levels]).toEqual([...golden(`pixels.${size}.${crop}`).data]);
    }
  });
});

describe('image encoders give what ComfyUI’s do', () => {
  it.each(['clip-l', 'clip-h', 'clip-g', 'siglip'])('%s', async (name) => {
    const encoder = createImageEncoder(visionLayout(weightsOf(file(name))), programs);
    for (const crop of CROPS) {
      const encoded = await encoder.encode(parityPicture(), crop);
      for (const part of ['lastHidden', 'penultimate', 'embeds'] as const) {
        expect(relativeRms(encoded[part], golden(`${name}.${crop}.${part}`))).toBeLessThan(2e-5);
      }
    }
  });

  it('a file that holds none is refused', () => {
    const weights = weightsOf(tinyCheckpoint('sd15'));
    expect(() => createImageEncoder(visionLayout(weights), programs)).toThrow(ModelError);
  });
});

describe('prompts with pictures make the latents that ComfyUI makes', () => {
  it.each(cases.map((item) => [item.name, item] as const))('%s', async (_, { workflow, saved }) => {
    const latents = await tiny.latents(workflow);
    for (const [node, name] of Object.entries(saved)) {
      expect(relativeRms(latents.get(node)!, tensor(name))).toBeLessThan(2e-5);
    }
  });
});
