/**
 * A sampler's own arithmetic for one step of a 1×4×128×128 latent (SDXL at 1024×1024), the denoiser costing nothing, copies into
 * and out of the addon included, beside Euler's update in plain JavaScript, which copies nothing.
 */
import { NoiseLevels, SamplerRun, TorchGenerator } from '../src/native/addon.js';
import { comparison } from './harness/comparison.js';
import { contest, type Contender } from './harness/contest.js';

const size = 4 * 128 * 128;
const levels = new NoiseLevels('discrete', 0.00085, 0.012, false);
const sigmas = levels.schedule('karras', 1000);
const x = new TorchGenerator(1n).randn(size).map((value) => value * sigmas[0]!);
const denoised = new TorchGenerator(2n).randn(size);

/** One step a call, with samplers that evaluate once a step; the run starts again at its end. */
function native(sampler: string): Contender {
  const start = () => new SamplerRun(sampler, { x, sigmas, seed: 1n, levels });
  let run = start();
  return {
    name: sampler,
    run: () => {
      let request = run.next();
      if (request === undefined) {
        run = start();
        request = run.next()!;
      }
      if (request.needsUncond) run.provide(denoised, denoised);
      else run.provide(denoised);
    },
  };
}

/** x + dt·d, and for the ancestral form noise by Box and Muller, in the language at hand. */
function plain(name: string, ancestral: boolean): Contender {
  const state = Float32Array.from(x);
  let step = 0;
  return {
    name,
    run: () => {
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
    },
  };
}

const groups: Readonly<Record<string, readonly Contender[]>> = {
  'first order': [
    plain('euler in JavaScript', false),
    ...['euler', 'euler_cfg_pp', 'ddim', 'lcm', 'ddpm'].map(native),
  ],
  ancestral: [
    plain('euler_ancestral in JavaScript', true),
    ...['euler_ancestral', 'euler_ancestral_cfg_pp'].map(native),
  ],
  multistep: [
    'euler',
    ...['dpmpp_2m', 'ipndm', 'deis', 'res_multistep', 'gradient_estimation', 'lms', 'uni_pc'],
  ].map(native),
  'on a Brownian path': ['euler', 'dpmpp_2m_sde', 'dpmpp_3m_sde'].map(native),
};

comparison(
  'samplers',
  'A sampler’s own arithmetic for one step of a 1×4×128×128 latent, the denoiser costing nothing.',
  async (results) => {
    for (const [group, contenders] of Object.entries(groups)) await contest(results, group, contenders);
  },
);
