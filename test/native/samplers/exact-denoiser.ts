import { SamplerRun, type SamplerRunInit } from '../../../src/native/addon.js';

const { fround } = Math;

/** D(x, σ) = x/(1+σ²) + 0.1·b/(1+|b|) for b = 3x/(1+σ), rounded to float32 after each operation: the same bits everywhere. */
function denoise(x: Float32Array, sigma: number): Float32Array {
  const kept = fround(1 / (1 + sigma * sigma));
  const slope = fround(3 / (1 + sigma));
  return x.map((value) => {
    const bent = fround(value * slope);
    return fround(value * kept) + fround(fround(bent / fround(1 + Math.abs(bent))) * fround(0.1));
  });
}

/** Runs a sampler on it to its end; the unconditional prediction is 0.9·D. */
export function runExactly(name: string, init: SamplerRunInit): SamplerRun {
  const run = new SamplerRun(name, init);
  for (let request = run.next(); request; request = run.next()) {
    const denoised = denoise(request.x, request.sigma);
    const uncond = request.needsUncond ? denoised.map((value) => value * fround(0.9)) : undefined;
    run.provide(denoised, uncond);
  }
  return run;
}
