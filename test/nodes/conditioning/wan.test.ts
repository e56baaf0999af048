import { afterAll, expect, it } from 'vitest';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor } from '../../../src/compute/tensor.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { createAutoencoder } from '../../../src/models/vae/autoencoder.js';
import {
  wan22ImageToVideoLatent,
  wanFirstLastFrameToVideo,
  wanImageToVideo,
} from '../../../src/nodes/conditioning/wan.js';
import type { Conditioning, Latent } from '../../../src/nodes/values.js';
import { goldenTensors, relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { nodeContext } from '../../support/node-context.js';

const programs = createProgramCache(createOnnxBackend());
afterAll(() => programs.dispose());

const golden = goldenTensors('vae/transformers.safetensors');
const vaeOf = (name: string) =>
  createAutoencoder(
    safetensorsWeights(openSafetensors(syntheticCheckpoint(`golden/manifests/${name}-tiny`))),
    programs,
  );
const prompt: Conditioning = [{ cond: tensor([1, 2, 4]) }];

it('a latent for Wan 2.2 begins with a picture, where no noise is put', async () => {
  const { outputs } = await wan22ImageToVideoLatent.run(
    {
      ...{ vae: vaeOf('wan22_vae'), width: 64, height: 32, length: 5, batch_size: 2 },
      start_image: golden('wan22.picture'),
    },
    nodeContext(),
  );
  const { samples, noiseMask } = outputs[0];
  const [rows] = samples.shape;
  expect(rows).toBe(2);
  const half = samples.data.length / 2;
  expect(samples.data.subarray(half)).toEqual(samples.data.subarray(0, half));
  const first = tensor([1, ...samples.shape.slice(1)], samples.data.slice(0, half));
  expect(relativeRms(first, golden('wan22.latent'))).toBeLessThan(5e-6);
  expect(noiseMask!.shape).toEqual([2, 1, 2, 2, 4]);
  expect([...noiseMask!.data.subarray(0, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
});

it('a film that goes on from a picture has it in its first frame of the latent', async () => {
  const { outputs } = await wanImageToVideo.run(
    {
      ...{ positive: prompt, negative: prompt, vae: vaeOf('qwen_image_vae'), batch_size: 1 },
      ...{ width: 48, height: 32, length: 5, start_image: golden('wan22.picture') },
    },
    nodeContext(),
  );
  const [positive, , latent] = outputs as unknown as [Conditioning, Conditioning, Latent];
  expect(latent.samples.shape).toEqual([1, 16, 2, 4, 6]);
  expect(positive[0]!.concatLatentImage!.shape).toEqual([1, 16, 2, 4, 6]);
  const mask = positive[0]!.concatMask!;
  expect(mask.shape).toEqual([1, 1, 2, 4, 6]);
  expect([mask.data[0], mask.data[23], mask.data[24], mask.data[47]]).toEqual([0, 0, 1, 1]);
});

it('a film between two pictures says of each frame whether it is given', async () => {
  const { outputs } = await wanFirstLastFrameToVideo.run(
    {
      ...{ positive: prompt, negative: prompt, vae: vaeOf('qwen_image_vae'), batch_size: 2 },
      ...{ width: 48, height: 32, length: 9 },
      ...{ start_image: golden('wan22.picture'), end_image: golden('wan22.picture') },
    },
    nodeContext(),
  );
  const [positive, , latent] = outputs as unknown as [Conditioning, Conditioning, Latent];
  expect(latent.samples.shape).toEqual([2, 16, 3, 4, 6]);
  const mask = positive[0]!.concatMask!;
  expect(mask.shape).toEqual([1, 4, 3, 4, 6]);
  // The first picture takes the whole first frame of the latent, the last one the last of the four behind it.
  const drawn = Array.from({ length: 12 }, (_, place) => mask.data[place * 24]);
  expect(drawn).toEqual([0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]);
});
