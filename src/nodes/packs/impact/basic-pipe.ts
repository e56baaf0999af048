/** A pipe, and what it is made of (modules/impact/pipe.py). */
import { link, type CustomType, type ValueOf } from '../../public.js';

/** A model with its encoders, decoder and prompts, as one value. */
export interface BasicPipe {
  readonly model: ValueOf<'MODEL'>;
  readonly clip: ValueOf<'CLIP'>;
  readonly vae: ValueOf<'VAE'>;
  readonly positive: ValueOf<'CONDITIONING'>;
  readonly negative: ValueOf<'CONDITIONING'>;
}

export const BASIC_PIPE = 'BASIC_PIPE' as CustomType<BasicPipe>;
export const PIPE_OUTPUT = { type: BASIC_PIPE, name: 'basic_pipe' } as const;

export const PARTS = {
  model: link('MODEL'),
  clip: link('CLIP'),
  vae: link('VAE'),
  positive: link('CONDITIONING'),
  negative: link('CONDITIONING'),
};

export const PART_OUTPUTS = [
  { type: 'MODEL', name: 'model' },
  { type: 'CLIP', name: 'clip' },
  { type: 'VAE', name: 'vae' },
  { type: 'CONDITIONING', name: 'positive' },
  { type: 'CONDITIONING', name: 'negative' },
] as const;
