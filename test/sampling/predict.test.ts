import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import type { Conditioning } from '../../src/models/denoiser/conditioning.js';
import type { Control, ControlledEvaluation } from '../../src/models/denoiser/control.js';
import type { Evaluation } from '../../src/models/denoiser/denoiser.js';
import type { DiffusionModel } from '../../src/models/denoiser/diffusion-model.js';
import { discreteSampling } from '../../src/models/denoiser/model-sampling.js';
import { prepareConditions } from '../../src/sampling/conditions.js';
import { cfgGuider } from '../../src/sampling/cfg-guider.js';
import { predictDenoised } from '../../src/sampling/predict.js';
import { tinyModels } from '../support/tiny-models.js';

const base = tinyModels('sd15').model;

/** A model whose prediction is the first value of each row's context everywhere; it keeps what it was asked. */
function modelOfContext(): { readonly model: DiffusionModel; readonly asked: Evaluation[] } {
  const asked: Evaluation[] = [];
  const model: DiffusionModel = {
    ...base,
    sampling: discreteSampling('x0'),
    predict(evaluation) {
      asked.push(evaluation);
      const { x, inputs } = evaluation;
      const context = inputs['context']!;
      const [rows = 1] = x.shape;
      const output = tensor(x.shape);
      for (let row = 0; row < rows; row++) {
        const value = context.data[(row * context.data.length) / rows]!;
        output.data.fill(value, (row * output.data.length) / rows, ((row + 1) * output.data.length) / rows);
      }
      return Promise.resolve(output);
    },
  };
  return { model, asked };
}

function prompt(value: number, tokens = 77): Tensor {
  const cond = tensor([1, tokens, 128]);
  cond.data.fill(value);
  return cond;
}

async function predict(
  model: DiffusionModel,
  positive: Conditioning,
  negative: Conditioning,
  x: Tensor,
  sigma = 1,
) {
  const lists = prepareConditions(
    [
      { conditioning: positive, role: 'positive' },
      { conditioning: negative, role: 'negative' },
    ],
    { model, latent: x },
  );
  return predictDenoised(model, lists, x, sigma);
}

describe('predictions of several conditionings', () => {
  const x = tensor([2, 4, 8, 8]);

  it('share an evaluation where shapes agree, shorter contexts repeated', async () => {
    const { model, asked } = modelOfContext();
    const [cond, uncond] = await predict(
      model,
      [{ cond: prompt(3) }, { cond: prompt(5, 154) }],
      [{ cond: prompt(7) }],
      x,
    );
    expect(asked.map(({ inputs }) => inputs['context']!.shape)).toEqual([[6, 154, 128]]);
    expect(new Set(cond!.data)).toEqual(new Set([4]));
    expect(new Set(uncond!.data)).toEqual(new Set([7]));
  });

  it('are evaluated apart where a context would be repeated too often', async () => {
    const { model, asked } = modelOfContext();
    await predict(model, [{ cond: prompt(1, 385) }], [{ cond: prompt(2) }], x);
    expect(asked.map(({ inputs }) => inputs['context']!.shape[1])).toEqual([385, 77]);
  });

  it('repeat a conditioning over the batch, and see the right noise level', async () => {
    const { model, asked } = modelOfContext();
    await predict(model, [{ cond: prompt(1) }], [], x, 14.614641);
    expect(asked[0]!.x.shape).toEqual([2, 4, 8, 8]);
    expect([...asked[0]!.timesteps]).toEqual([999, 999]);
  });

  it('are steered by the control of their entries, each evaluation once', async () => {
    const { model, asked } = modelOfContext();
    const steered: ControlledEvaluation[] = [];
    const residual = tensor([1]);
    const control: Control = {
      residuals(evaluation) {
        steered.push(evaluation);
        return Promise.resolve(evaluation.sigma > 1 ? { middle: residual } : undefined);
      },
    };
    const negative = [{ cond: prompt(2), control }, { cond: prompt(3) }];
    await predict(model, [{ cond: prompt(1), control }], negative, x, 2);
    expect(asked.map(({ x: { shape }, control: given }) => [shape[0], given])).toEqual([
      [4, { middle: residual }],
      [2, undefined],
    ]);
    expect(steered.map(({ x: noised, sigma, inputs }) => [noised.shape[0], sigma, inputs])).toEqual([
      [4, 2, asked[0]!.inputs],
    ]);
    await predict(model, [{ cond: prompt(1), control }], [], x, 1);
    expect(asked.at(-1)!.control).toBeUndefined();
  });

  it('count only within their share of sampling', async () => {
    const { model } = modelOfContext();
    const early = { cond: prompt(1), startPercent: 0, endPercent: 0.5 };
    const late = { cond: prompt(2), startPercent: 0.5, endPercent: 1 };
    const middle = model.sampling.levels.percentToSigma(0.5);
    const at = async (sigma: number) => (await predict(model, [early, late], [], x, sigma))[0]!.data[0];
    expect(await at(middle * 1.01)).toBe(1);
    expect(await at(middle)).toBe(1.5);
    expect(await at(middle * 0.99)).toBe(2);
  });

  it('are nothing where no conditioning counts', async () => {
    const { model, asked } = modelOfContext();
    const [cond, uncond] = await predict(model, [{ cond: prompt(1), startPercent: 0.9 }], [], x, 10);
    expect(asked).toEqual([]);
    expect(new Set([...cond!.data, ...uncond!.data])).toEqual(new Set([0]));
  });

  it('fade towards the inner edges of their areas', async () => {
    const { model, asked } = modelOfContext();
    const wide = tensor([1, 4, 8, 32]);
    const area = { unit: 'pixel', height: 8, width: 16, y: 0, x: 16 } as const;
    const [cond] = await predict(
      model,
      [{ cond: prompt(0) }, { cond: prompt(1), area }],
      [{ cond: prompt(0) }],
      wide,
    );
    const row = [...cond!.data.subarray(0, 32)];
    expect(row.slice(0, 16)).toEqual(Array(16).fill(0));
    expect(row.slice(16, 20)).toEqual([1, 2, 3, 4].map((t) => Math.fround(t / 4 / (1 + t / 4))));
    expect(row.slice(20)).toEqual(Array(12).fill(0.5));
    // The negative prompt is asked about the same part.
    expect(asked.map((inputs) => inputs.x.shape)).toEqual([
      [2, 4, 8, 32],
      [2, 4, 8, 16],
    ]);
  });

  it('take areas of films’ latents, in every frame', async () => {
    const { model, asked } = modelOfContext();
    const area = { unit: 'pixel', height: 8, width: 8, y: 0, x: 8 } as const;
    const film = tensor([1, 2, 3, 8, 16]);
    const [cond] = await predict(model, [{ cond: prompt(0) }, { cond: prompt(1), area }], [], film);
    expect(asked.map((inputs) => inputs.x.shape)).toEqual([
      [1, 2, 3, 8, 16],
      [1, 2, 3, 8, 8],
    ]);
    const row = [0, 0, 0, 0, 0, 0, 0, 0, 1 / 3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5].map(Math.fround);
    const rows = Array.from({ length: 2 * 3 * 8 }, (_, index) => [
      ...cond!.data.subarray(index * 16, (index + 1) * 16),
    ]);
    expect(new Set(rows.map((each) => each.join()))).toEqual(new Set([row.join()]));
  });

  it('say where an area lies outside the latent', async () => {
    const { model } = modelOfContext();
    const area = { unit: 'pixel', height: 8, width: 8, y: 0, x: 8 } as const;
    await expect(predict(model, [{ cond: prompt(1), area }], [], x)).rejects.toThrow(
      /area begins at \(8, 0\) of a latent of 8×8/,
    );
  });
});

describe('classifier-free guidance', () => {
  const x = tensor([1, 4, 8, 8]);
  const prompts = { positive: [{ cond: prompt(3) }], negative: [{ cond: prompt(1) }] };

  it('goes beyond the prompt', async () => {
    const { model } = modelOfContext();
    const { denoised, uncond } = await cfgGuider(model, prompts, 4).ready({ latent: x })(x, 1, false);
    expect(denoised.data[0]).toBe(9);
    expect(uncond.data[0]).toBe(1);
  });

  it('leaves the negative prompt out at cfg 1, unless a sampler needs it', async () => {
    const { model, asked } = modelOfContext();
    const denoise = cfgGuider(model, prompts, 1).ready({ latent: x });
    expect((await denoise(x, 1, false)).denoised.data[0]).toBe(3);
    expect(asked[0]!.x.shape[0]).toBe(1);
    expect((await denoise(x, 1, true)).uncond.data[0]).toBe(1);
    expect(asked[1]!.x.shape[0]).toBe(2);
  });
});
