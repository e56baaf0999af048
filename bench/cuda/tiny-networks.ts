/** Every network of the tiny checkpoints beside what ComfyUI computed, on any backend. */
import { tmpdir } from 'node:os';
import type { Backend } from '../../src/compute/backend.js';
import { tensor, type Tensor } from '../../src/compute/tensor.js';
import { createFolders } from '../../src/models/folders/folders.js';
import type { Checkpoint } from '../../src/models/model-store.js';
import { createModelStore } from '../../src/models/open-models.js';
import { createProgramCache } from '../../src/models/programs/program-cache.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';

export interface Compared {
  readonly actual: Tensor;
  readonly expected: Tensor;
}

export type NetworkName = 'denoiser' | 'decoder' | 'encoder' | 'text encoder' | 'pooled text';

/** Where a tiny checkpoint lies, and the `.safetensors` of its golden data. */
export interface TinyFiles {
  readonly checkpoint: string;
  readonly golden: string;
}

export function tinyNetworks(
  files: TinyFiles,
  backend: Backend,
): Readonly<Record<NetworkName, () => Promise<Compared>>> {
  const folder = tmpdir();
  const models = createModelStore({
    programs: createProgramCache(backend),
    folders: createFolders({ models: folder, input: folder, output: folder, temp: folder }),
  }).checkpoint(files.checkpoint);
  const golden = readGolden(files.golden);
  const text = async () => models.clip.encode(positive);
  return {
    denoiser: async () => ({ actual: await denoise(models, golden), expected: golden('unet.denoised') }),
    decoder: async () => ({
      actual: await models.vae.decode(golden('vae.z')),
      expected: golden('vae.decoded'),
    }),
    encoder: async () => ({
      actual: await models.vae.encode(golden('vae.image')),
      expected: golden('vae.encoded'),
    }),
    'text encoder': async () => ({ actual: (await text()).cond, expected: golden('clip.0.cond') }),
    'pooled text': async () => ({ actual: (await text()).pooled!, expected: golden('clip.0.pooled') }),
  };
}

/** `clip.0` of the golden data. */
const positive = 'pixel art character sprite, 16bit game art style, clean background, centered, sharp pixels';

/** The denoised prediction of an epsilon model, x − σ·network(x / √(σ² + 1)). */
async function denoise({ model }: Checkpoint, golden: GoldenTensors): Promise<Tensor> {
  const [x, sigma] = [golden('unet.x'), golden('unet.sigma')];
  const size = x.data.length / sigma.data.length;
  const level = (index: number): number => sigma.data[Math.floor(index / size)]!;
  const predicted = await model.predict({
    x: tensor(
      x.shape,
      x.data.map((value, index) => value / Math.sqrt(level(index) ** 2 + 1)),
    ),
    timesteps: golden('unet.timestep').data,
    inputs: Object.fromEntries(model.inputs.map(({ name }) => [name, golden(`unet.${name}`)])),
  });
  return tensor(
    x.shape,
    x.data.map((value, index) => value - predicted.data[index]! * level(index)),
  );
}

type GoldenTensors = (name: string) => Tensor;

function readGolden(path: string): GoldenTensors {
  const { file, tensors } = openSafetensors(path);
  return (name) => {
    const entry = tensors.get(name);
    if (entry?.dtype !== 'F32') throw new Error(`${path} has no tensor ${name}`);
    const values = tensor(entry.shape);
    file.widen(entry.offset, entry.dtype, values.data);
    return values;
  };
}
