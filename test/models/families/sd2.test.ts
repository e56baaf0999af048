import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recogniseFile } from '../../support/families.js';
import { syntheticCheckpoint } from '../../support/golden.js';
import { copyScaled } from '../../support/models.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-sd2-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('checkpoints of SD 2.x', () => {
  it('tell their v-prediction by the spread of the last biases', () => {
    const path = syntheticCheckpoint('diffusion/sd2-v');
    expect(recogniseFile(path)).toMatchObject({ description: 'sd2', trainedSide: 512 });
    const key = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
    const scaled = join(folder, 'sd2-v.safetensors');
    copyScaled(path, scaled, { [key]: 4 });
    expect(recogniseFile(scaled)).toMatchObject({ description: 'sd2 v_prediction', trainedSide: 768 });
  });
});
