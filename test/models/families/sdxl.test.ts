import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recogniseFile } from '../../support/families.js';
import { syntheticCheckpoint } from '../../support/golden.js';
import { f32, readTensors, writeSafetensors } from '../../support/models.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-sdxl-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('checkpoints of SDXL', () => {
  it.each([
    [{}, 'epsilon', 14.6146],
    [{ v_pred: f32([0], []) }, 'v_prediction', 14.6146],
    [{ v_pred: f32([0], []), ztsnr: f32([0], []) }, 'v_prediction', 4518.76],
    [{ ztsnr: f32([0], []) }, 'epsilon', 14.6146],
    [{ 'edm_vpred.sigma_max': f32([], [120]) }, 'v_prediction', 120],
    [{ 'edm_vpred.sigma_max': f32([1], [80]), 'edm_vpred.sigma_min': f32([1], [0.01]) }, 'v_prediction', 80],
    [{ edm_mean: f32([1, 4, 1, 1], [0, 0, 0, 0]), edm_std: f32([1, 4, 1, 1], [1, 1, 1, 1]) }, 'edm', 80],
  ] as const)('tell their kinds by marks: %j', (marks, prediction, sigmaMax) => {
    const path = join(folder, 'marked.safetensors');
    writeSafetensors(path, { ...readTensors(syntheticCheckpoint('diffusion/koala')), ...marks });
    const { sampling, latentFormat } = recogniseFile(path).denoiser;
    expect(sampling.prediction).toBe(prediction);
    expect(sampling.levels.sigmaMax / sigmaMax).toBeCloseTo(1, 5);
    expect(sampling.sigmaData).toBe(prediction === 'edm' ? 0.5 : 1);
    expect(latentFormat.statistics === undefined).toBe(prediction !== 'edm');
  });
});
