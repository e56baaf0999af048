import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/compute/tensor.js';
import { inputKind, prepareInputs, type DenoiserInput } from '../../../src/models/denoiser/denoiser-input.js';
import { sdLatent } from '../../../src/models/denoiser/latent-formats.js';

const latents = [tensor([1, 4, 8, 8]), tensor([1, 4, 6, 6])];
const text: DenoiserInput = { name: 'context', kind: 'tokens', prepare: ({ cond }) => cond };
const references: DenoiserInput = { name: 'reference', kind: 'rows', prepare: () => latents };
const pooled: DenoiserInput = { name: 'pooled', kind: 'rows', prepare: (entry) => entry.pooled };

describe('the inputs that a model declares', () => {
  const entry = { cond: tensor([1, 7, 8]) };
  const context = {
    role: 'positive',
    latent: tensor([1, 4, 8, 8]),
    latentFormat: sdLatent,
    seed: 0n,
  } as const;

  it('are prepared by name; several of one have numbers, and none is left out', () => {
    expect(prepareInputs([text, references, pooled], entry, context)).toEqual({
      context: entry.cond,
      'reference.0': latents[0],
      'reference.1': latents[1],
    });
  });

  it('keep their kind', () => {
    const kind = (name: string) => inputKind([text, references], name);
    expect([kind('context'), kind('reference.1')]).toEqual(['tokens', 'rows']);
    expect(() => kind('mask')).toThrow(/declares no input mask/);
  });
});
