/** Tiny autoencoders with synthetic weights, in ComfyUI's files. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { syntheticCheckpoint } from './golden.js';

/** File names in `vae_approx` by the manifests that they are made of. */
const MANIFESTS = { taesd: 'taesd', taesdxl: 'taesd', taef1: 'taef1' } as const;

/** Puts the files of `taesd`, `taesdxl` and `taef1` into the models folder `models`. */
export function linkTinyVaes(models: string): void {
  const folder = join(models, 'vae_approx');
  mkdirSync(folder, { recursive: true });
  for (const [name, manifest] of Object.entries(MANIFESTS)) {
    for (const part of ['encoder', 'decoder']) {
      const file = syntheticCheckpoint(`vae/${manifest}_${part}`);
      symlinkSync(file, join(folder, `${name}_${part}.safetensors`));
    }
  }
}
