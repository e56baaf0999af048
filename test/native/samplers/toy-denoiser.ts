import { SamplerRun, type SamplerRunInit } from '../../../src/native/addon.js';

/** The golden data's denoiser, in float32: D(x, σ) = x/(1+σ²) + 0.1·sin(3x/(1+σ)). */
function denoise(x: Float32Array, sigma: number): Float32Array {
  const { fround } = Math;
  const variance = fround(1 + fround(sigma * sigma));
  const scale = fround(1 + sigma);
  return x.map(
    (value) =>
      fround(value / variance) + fround(fround(0.1) * fround(Math.sin(fround(fround(3 * value) / scale)))),
  );
}

/** Runs a sampler on the toy denoiser, whose unconditional prediction is 0.9·D, to its end. */
export function runToy(name: string, init: SamplerRunInit): SamplerRun {
  const run = new SamplerRun(name, init);
  for (let request = run.next(); request; request = run.next()) {
    const denoised = denoise(request.x, request.sigma);
    if (request.needsUncond)
      run.provide(
        denoised,
        denoised.map((value) => value * 0.9),
      );
    else run.provide(denoised);
  }
  return run;
}
