import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/compute/backend.js';
import { createCudaBackend } from '../../../src/compute/cuda/backend.js';
import { createOnnxBackend } from '../../../src/compute/onnx/backend.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { withFallback } from '../../../src/compute/with-fallback.js';
import { createFolders } from '../../../src/models/folders/folders.js';
import { discreteSampling, type Prediction } from '../../../src/models/denoiser/model-sampling.js';
import type { Checkpoint } from '../../../src/models/model-store.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { createProgramCache } from '../../../src/models/programs/program-cache.js';
import { sample, type KSamplerOptions } from '../../../src/sampling/k-sampler.js';
import type { SampledStep } from '../../../src/sampling/run-sampler.js';
import { emulatedCudaAddon } from '../../support/cuda-emulation.js';
import { relativeRms, tinyCheckpoint } from '../../support/golden.js';

const addon = emulatedCudaAddon();
const card = createCudaBackend({ addon, device: new addon.CudaDevice(0) });
let evaluations = 0;
/** The same card, asked for one evaluation at a time. */
const driven: Backend = {
  ...card,
  async load(graph) {
    const program = await card.load(graph);
    return {
      residentBytes: program.residentBytes,
      run(inputs) {
        evaluations++;
        return program.run(inputs);
      },
      dispose: () => program.dispose(),
    };
  },
};
const cpu = createOnnxBackend();
const places = createFolders({ models: tmpdir(), input: tmpdir(), output: tmpdir(), temp: tmpdir() });
const opened = (family: 'sd15' | 'sdxl', backend: Backend): Checkpoint =>
  createModelStore({ programs: createProgramCache(backend), folders: places }).checkpoint(
    tinyCheckpoint(family),
  );

const settings = { scheduler: 'normal', steps: 2, seed: 7n, cfg: 3, latent: tensor([1, 4, 4, 4]) } as const;

interface Case {
  readonly family: 'sd15' | 'sdxl';
  readonly samplerName: string;
  readonly prediction: Prediction;
  readonly cfg?: number;
}

const cases: readonly Case[] = [
  { family: 'sd15', samplerName: 'euler', prediction: 'epsilon' },
  { family: 'sd15', samplerName: 'dpmpp_2m_sde', prediction: 'v_prediction' },
  { family: 'sd15', samplerName: 'uni_pc', prediction: 'x0' },
  { family: 'sd15', samplerName: 'euler', prediction: 'epsilon', cfg: 1 },
  { family: 'sdxl', samplerName: 'euler_ancestral_cfg_pp', prediction: 'epsilon', cfg: 1 },
];

describe('a sampler that the card drives computes as one that JavaScript drives', () => {
  it.each(cases)('$samplerName, $prediction, $family', { timeout: 120_000 }, async (item) => {
    const { family, prediction, ...own } = item;
    const { clip } = opened(family, cpu);
    const steps: SampledStep[] = [];
    const run = async (backend: Backend): Promise<Tensor> => {
      const { samples } = await sample({
        model: opened(family, backend).model.withSampling(discreteSampling(prediction)),
        positive: [await clip.encode('a castle')],
        negative: [await clip.encode('blurry')],
        ...settings,
        ...own,
        progress: (step) => steps.push(step),
      });
      return samples;
    };
    evaluations = 0;
    const expected = await run(driven);
    expect(evaluations).toBeGreaterThan(1);
    expect(relativeRms(await run(card), expected)).toBeLessThan(1e-6);
    expect(steps.map(({ step, totalSteps }) => [step, totalSteps])).toEqual([
      [1, 2],
      [2, 2],
      [1, 2],
      [2, 2],
    ]);
  });
});

describe('a sampling on the card', () => {
  const backend = withFallback(card, cpu, () => undefined);
  const { model, clip } = opened('sd15', backend);
  const options = async (more: Partial<KSamplerOptions>): Promise<KSamplerOptions> => {
    const conditioning = [await clip.encode('a castle')];
    return {
      model,
      positive: conditioning,
      negative: conditioning,
      samplerName: 'euler',
      ...settings,
      ...more,
    };
  };
  afterAll(() => {
    addon.emulate({ lost: false });
  });

  it('ends within a step when it is cancelled, with the reason', { timeout: 60_000 }, async () => {
    const controller = new AbortController();
    const running = sample(
      await options({
        steps: 20,
        signal: controller.signal,
        progress({ step }) {
          if (step === 1) controller.abort(new Error('cancelled by the user'));
        },
      }),
    );
    await expect(running).rejects.toThrow('cancelled by the user');
  });

  it('ends with what progress throws', { timeout: 60_000 }, async () => {
    const progress = (): never => {
      throw new Error('nobody listens');
    };
    await expect(sample(await options({ progress }))).rejects.toThrow('nobody listens');
  });

  it('begins again on the CPU when the card is lost', { timeout: 60_000 }, async () => {
    const { samples: expected } = await sample(await options({}));
    const steps: number[] = [];
    const { samples } = await sample(
      await options({
        progress({ step }) {
          steps.push(step);
          if (step === 1) addon.emulate({ lost: true });
        },
      }),
    );
    expect(steps.at(-1)).toBe(2);
    expect(steps.filter((step) => step === 1)).toHaveLength(2);
    expect(relativeRms(samples, expected)).toBeLessThan(2e-2);
  });
});
