import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { createClipModel } from '../../../src/models/clip/create-clip-model.js';
import { textEncoderWeights } from '../../../src/models/clip/text-weights.js';
import { createProgramCache } from '../../../src/models/program-cache.js';
import { safetensorsWeights } from '../../../src/models/safetensors-weights.js';
import { openSafetensors } from '../../../src/models/safetensors.js';
import { goldenTensors, relativeRms, tinyCheckpoint } from '../../support/golden.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

/** The prompts of shared golden data, `clip.0` to `clip.3`. */
const prompts = [
  'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels',
  '(masterpiece:1.2), ((best quality)), [deemphasised], (nested (twice:1.5):0.8)',
  Array(74).fill('sword').join(' '),
  Array(60).fill('long castle dragon,').join(' '),
];

describe.each(['sd15', 'sdxl'] as const)('the text encoders of %s', (name) => {
  const golden = goldenTensors(`golden/${name}-tiny.golden.safetensors`);
  const clip = createClipModel({
    weights: textEncoderWeights(safetensorsWeights(openSafetensors(tinyCheckpoint(name)))),
    programs,
    embeddings: { list: () => [], open: () => expect.fail() },
  });

  it.each([...prompts.entries()])('encode prompt %i as ComfyUI', async (index, prompt) => {
    const { cond, pooled } = await clip.encode(prompt);
    expect(relativeRms(cond, golden(`clip.${index}.cond`))).toBeLessThan(2e-6);
    expect(relativeRms(pooled!, golden(`clip.${index}.pooled`))).toBeLessThan(2e-6);
  });

  it('stop at the layer before the last', async () => {
    const { cond } = await clip.withLayer(-2).encode(prompts[0]!);
    expect(relativeRms(cond, golden('clip.skip2.cond'))).toBeLessThan(2e-6);
  });
});
