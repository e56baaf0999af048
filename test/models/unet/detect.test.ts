import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../support/synthetic.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { detectUnet } from '../../../src/models/unet/detect.js';
import { underPrefix } from '../../../src/models/weights/weight-views.js';
import { fixtureManifest } from '../../support/golden.js';
import { writeHollowCheckpoint } from '../../support/models.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-detect-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function detect(manifest: Manifest) {
  const path = join(folder, 'model.safetensors');
  writeHollowCheckpoint(manifest, path);
  return detectUnet(underPrefix(safetensorsWeights(openSafetensors(path)), 'model.diffusion_model.'));
}

describe('detectUnet', () => {
  it('sizes SD 1.5', () => {
    expect(detect(fixtureManifest('golden/manifests/sd15-full'))).toEqual({
      inChannels: 4,
      outChannels: 4,
      modelChannels: 320,
      residualBlocks: [2, 2, 2, 2],
      channelMultipliers: [1, 2, 4, 4],
      transformerDepth: [1, 1, 1, 1, 1, 1, 0, 0],
      transformerDepthMiddle: 1,
      transformerDepthOutput: [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      contextDim: 768,
      linearInTransformer: false,
      heads: { count: 8 },
    });
  });

  it('sizes SDXL', () => {
    expect(detect(fixtureManifest('golden/manifests/sdxl-full'))).toMatchObject({
      inChannels: 4,
      residualBlocks: [2, 2, 2],
      channelMultipliers: [1, 2, 4],
      transformerDepth: [0, 0, 2, 2, 10, 10],
      transformerDepthMiddle: 10,
      transformerDepthOutput: [10, 10, 10, 2, 2, 2, 0, 0, 0],
      contextDim: 2048,
      admChannels: 2816,
      heads: { channels: 64 },
    });
  });

  it('keeps what is pruned out of the middle and the way up', () => {
    expect(detect(fixtureManifest('diffusion/koala'))).toMatchObject({
      residualBlocks: [1, 1, 1],
      transformerDepth: [0, 1, 2],
      transformerDepthMiddle: -1,
      transformerDepthOutput: [3, 2, 2, 1, 0, 0],
    });
    const without = Object.fromEntries(
      Object.entries(fixtureManifest('diffusion/koala')).filter(([key]) => !key.includes('.middle_block.')),
    );
    expect(detect(without)?.transformerDepthMiddle).toBe(-2);
  });

  it('knows no other network', () => {
    expect(detect({ 'model.diffusion_model.double_blocks.0.img_mlp.0.bias': ['BF16', [8]] })).toBeUndefined();
  });
});
