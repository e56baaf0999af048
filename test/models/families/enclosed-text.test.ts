import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFolders } from '../../../src/models/folders/folders.js';
import { createModelStore } from '../../../src/models/open-models.js';
import { syntheticCheckpoint } from '../../support/golden.js';
import { readTensors, writeSafetensors, type TensorBytes } from '../../support/models.js';
import { programs } from '../../support/tiny-models.js';

const folder = mkdtempSync(join(tmpdir(), 'latentd-enclosed-'));
const folders = createFolders({ models: folder, input: folder, output: folder, temp: folder });
const store = createModelStore({ programs, folders });
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function under(prefix: string, tensors: Readonly<Record<string, TensorBytes>>): Record<string, TensorBytes> {
  return Object.fromEntries(Object.entries(tensors).map(([key, entry]) => [prefix + key, entry]));
}

describe('checkpoints of transformers that hold their text encoders', () => {
  const denoiser = readTensors(syntheticCheckpoint('transformers/sd35-medium-tiny'));
  const clipL = syntheticCheckpoint('golden/manifests/clip_l-tiny');
  const clipG = syntheticCheckpoint('golden/manifests/clip_g-tiny');

  it('encode as the same encoders from files of their own', async () => {
    const path = join(folder, 'whole.safetensors');
    writeSafetensors(path, {
      ...denoiser,
      ...under('text_encoders.clip_l.transformer.', readTensors(clipL)),
      ...under('text_encoders.clip_g.transformer.', readTensors(clipG)),
    });
    const { model, clip } = store.checkpoint(path);
    expect(model.family).toBe('sd3');
    const apart = store.textEncoders([clipG, clipL], 'sd3');
    const text = 'a (red:1.3) fox in the snow';
    expect(await clip.encode(text)).toEqual(await apart.encode(text));
  });

  it('say so where they hold none', async () => {
    const path = join(folder, 'alone.safetensors');
    writeSafetensors(path, denoiser);
    await expect(store.checkpoint(path).clip.encode('a fox')).rejects.toThrow(/text encoder/);
  });
});
