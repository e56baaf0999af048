import { describe, expect, it } from 'vitest';
import { createDiffusionModel } from '../../../src/models/denoiser/create-diffusion-model.js';
import type { DiffusionModel } from '../../../src/models/denoiser/diffusion-model.js';
import { recogniseCheckpoint } from '../../../src/models/families/recognise.js';
import { openSafetensors } from '../../../src/models/files/safetensors.js';
import { safetensorsWeights } from '../../../src/models/files/safetensors-weights.js';
import { tensor, type Tensor } from '../../../src/compute/tensor.js';
import { readTensors } from '../../compute/fixtures.js';
import { relativeRms, syntheticCheckpoint } from '../../support/golden.js';
import { programs } from '../../support/tiny-models.js';

/** tools/reference/transformer_steps.py: what ComfyUI's networks were given, and what they made of it. */
const cases = readTensors('test/fixtures/transformers/cases.safetensors') as unknown as Readonly<
  Record<string, Tensor>
>;

/** Inputs by ComfyUI's argument names, and by ours. */
const NAMES: Readonly<Record<string, string>> = {
  context: 'context',
  y: 'pooled',
  attention_mask: 'attention_mask',
  guidance: 'guidance',
  method: 'reference_method',
  noise_mask: 'noise_mask',
  clip_fea: 'picture',
  encoder_hidden_states_llama3: 'llama',
  image_cond: 'concat',
};

function modelOf(name: string): DiffusionModel {
  const weights = safetensorsWeights(openSafetensors(syntheticCheckpoint(`transformers/${name}-tiny`)));
  return createDiffusionModel(recogniseCheckpoint(weights).denoiser, programs);
}

const models = [...new Set(Object.keys(cases).map((key) => key.split('.')[0]!))];

describe.each(models)('%s', (name) => {
  const own = Object.keys(cases).filter((key) => key.startsWith(`${name}.`));
  const names = [...new Set(own.map((key) => key.split('.')[1]!))];
  const model = modelOf(name);

  it.each(names)('predicts as ComfyUI: %s', async (each) => {
    const prefix = `${name}.${each}.`;
    const given = Object.entries(cases)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const);
    const of = (key: string) => cases[prefix + key]!;
    const { channels } = model.latentFormat;
    const inputs: Record<string, Tensor> = {};
    for (const [key, value] of given) {
      const known = NAMES[key];
      if (known === 'guidance') inputs[known] = tensor([value.shape[0]!, 1], value.data);
      else if (known !== undefined) inputs[known] = value;
      else if (key.startsWith('ref_latents.')) inputs[key.replace('ref_latents', 'references')] = value;
    }
    const [x, beside] = splitChannels(of('x'), channels);
    if (beside !== undefined) inputs['concat'] = beside;
    const made = await model.predict({ x, timesteps: of('timestep').data, inputs });
    expect(relativeRms(made, of('result'))).toBeLessThan(5e-6);
  });
});

it.each(['flux-dev', 'chroma'])(
  '%s refuses what ComfyUI does to its attention and latentd does not',
  async (name) => {
    const model = modelOf(name).withChanges([{ kind: 'guide-attention', scale: 5, alpha: 0.5, tau: 1.5 }]);
    const x = tensor([1, model.latentFormat.channels, 4, 4]);
    await expect(model.predict({ x, timesteps: Float32Array.of(0.5), inputs: {} })).rejects.toThrow(
      /^NAGuidance of a /,
    );
  },
);

/** A latent's own channels, and those that the network sees beside it. */
function splitChannels(x: Tensor, own: number): readonly [Tensor, Tensor | undefined] {
  const [rows = 1, channels = 1, ...extents] = x.shape;
  if (channels === own) return [x, undefined];
  const area = x.data.length / rows / channels;
  const cut = (from: number, to: number): Tensor => {
    const part = tensor([rows, to - from, ...extents]);
    for (let row = 0; row < rows; row++) {
      const start = (row * channels + from) * area;
      part.data.set(x.data.subarray(start, start + (to - from) * area), row * (to - from) * area);
    }
    return part;
  };
  return [cut(0, own), cut(own, channels)];
}
