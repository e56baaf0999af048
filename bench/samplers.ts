/**
 * A sampler's own arithmetic for one step of a 1×4×128×128 latent (SDXL at 1024×1024), the denoiser costing nothing, beside the
 * same update in plain JavaScript. The mean is milliseconds a step, copies into and out of the addon included.
 * `npx vitest bench --run bench/samplers.ts`
 */
import { bench, describe } from 'vitest';
import { ModelSampling, SamplerRun, TorchGenerator } from '../src/native/addon.js';

const size = 4 * 128 * 128;
const modelSampling = new ModelSampling('discrete', 0.00085, 0.012, false);
const sigmas = modelSampling.schedule('karras', 1000);
const x = new TorchGenerator(1n).randn(size).map((value) => value * sigmas[0]!);
const denoised = new TorchGenerator(2n).randn(size);

/** One step a call, with samplers that evaluate once a step; the run starts again at its end. */
function native(sampler: string): void {
  let run = new SamplerRun(sampler, { x, sigmas, seed: 1n, modelSampling });
  bench(sampler, () => {
    let request = run.next();
    if (request === undefined) {
      run = new SamplerRun(sampler, { x, sigmas, seed: 1n, modelSampling });
      request = run.next()!;
    }
    if (request.needsUncond) run.provide(denoised, denoised);
    else run.provide(denoised);
  });
}

/** x + dt·d, and for the ancestral form noise by Box and Muller, in the language at hand. */
function plain(name: string, ancestral: boolean): void {
  const state = Float32Array.from(x);
  let step = 0;
  bench(name, () => {
    if (step === sigmas.length - 2) {
      state.set(x);
      step = 0;
    }
    const sigma = sigmas[step]!;
    const next = sigmas[++step]!;
    const up = ancestral ? Math.min(next, (next * Math.sqrt(sigma ** 2 - next ** 2)) / sigma) : 0;
    const dt = Math.sqrt(next ** 2 - up ** 2) - sigma;
    for (let index = 0; index < size; index += 2) {
      state[index]! += (dt * (state[index]! - denoised[index]!)) / sigma;
      state[index + 1]! += (dt * (state[index + 1]! - denoised[index + 1]!)) / sigma;
      if (ancestral) {
        const radius = up * Math.sqrt(-2 * Math.log(1 - Math.random()));
        const angle = 2 * Math.PI * Math.random();
        state[index]! += radius * Math.cos(angle);
        state[index + 1]! += radius * Math.sin(angle);
      }
    }
  });
}

describe('first order', () => {
  for (const sampler of [
    'euler',
    'euler_cfg_pp',
    'ddim',
    'lcm',
    'ddpm',
    'euler_ancestral',
    'euler_ancestral_cfg_pp',
  ]) {
    native(sampler);
  }
  plain('euler in JavaScript', false);
  plain('euler_ancestral in JavaScript', true);
});

describe('multistep', () => {
  for (const sampler of [
    'dpmpp_2m',
    'ipndm',
    'deis',
    'res_multistep',
    'gradient_estimation',
    'lms',
    'uni_pc',
  ]) {
    native(sampler);
  }
});

describe('on a Brownian path', () => {
  for (const sampler of ['dpmpp_2m_sde', 'dpmpp_3m_sde']) native(sampler);
});
