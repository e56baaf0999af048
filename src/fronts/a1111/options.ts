/** A1111's options, as far as they mean anything here; the others are kept and told again, so that clients find what they set. */
import { z } from 'zod';
import { HttpFault } from './fault.js';

export interface KnownOptions {
  readonly sd_model_checkpoint: string | null;
  readonly sd_vae: string;
  readonly CLIP_stop_at_last_layers: number;
  readonly samples_format: string;
  readonly face_restoration_model: string;
  readonly code_former_weight: number;
  readonly face_restoration: boolean;
  readonly return_grid: boolean;
  readonly enable_pnginfo: boolean;
  readonly img2img_fix_steps: boolean;
  readonly initial_noise_multiplier: number;
}

/** A1111's defaults (modules/shared_options.py). No grid is put together here. */
export const DEFAULT_OPTIONS: KnownOptions = {
  sd_model_checkpoint: null,
  sd_vae: 'Automatic',
  CLIP_stop_at_last_layers: 1,
  samples_format: 'png',
  face_restoration_model: 'CodeFormer',
  code_former_weight: 0.5,
  face_restoration: false,
  return_grid: false,
  enable_pnginfo: true,
  img2img_fix_steps: false,
  initial_noise_multiplier: 1,
};

const known = z
  .object({
    sd_model_checkpoint: z.string().max(1000).nullable(),
    sd_vae: z.string().max(1000),
    CLIP_stop_at_last_layers: z.number().int().min(1).max(12),
    samples_format: z.string().max(10),
    face_restoration_model: z.string().max(200),
    code_former_weight: z.number().min(0).max(1),
    face_restoration: z.boolean(),
    return_grid: z.boolean(),
    enable_pnginfo: z.boolean(),
    img2img_fix_steps: z.boolean(),
    initial_noise_multiplier: z.number().min(0).max(10),
  })
  .partial();

/** `changes` over `options`; A1111 takes null for nothing set. Throws `HttpFault` (422) for a value that an option can't have. */
export function withOptions(options: KnownOptions, changes: Readonly<Record<string, unknown>>): KnownOptions {
  const set = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
  const parsed = known.safeParse(set);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new HttpFault(422, `option ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const given = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
  return { ...options, ...(Object.fromEntries(given) as Partial<KnownOptions>) };
}
