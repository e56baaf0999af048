/** A request's `infotext`: what a request leaves out is taken from it (modules/api/api.py, apply_infotext). */
import { parseInfotext } from './infotext.js';

/** Fields of a request by the names that infotext has for them. */
const TEXTS = {
  Prompt: 'prompt',
  'Negative prompt': 'negative_prompt',
  Sampler: 'sampler_name',
  'Schedule type': 'scheduler',
  'Hires upscaler': 'hr_upscaler',
  'Hires prompt': 'hr_prompt',
  'Hires negative prompt': 'hr_negative_prompt',
} as const;
const NUMBERS = {
  Steps: 'steps',
  'CFG scale': 'cfg_scale',
  Seed: 'seed',
  'Size-1': 'width',
  'Size-2': 'height',
  'Denoising strength': 'denoising_strength',
  'Hires upscale': 'hr_scale',
  'Hires steps': 'hr_second_pass_steps',
  'Hires resize-1': 'hr_resize_x',
  'Hires resize-2': 'hr_resize_y',
} as const;

type Body = Readonly<Record<string, unknown>>;

export function withInfotext(body: Body, kind: 'txt2img' | 'img2img'): Body {
  const { infotext } = body;
  if (typeof infotext !== 'string' || infotext === '') return body;
  const fields = parseInfotext(infotext);
  const taken: Record<string, unknown> = {};
  for (const [field, name] of Object.entries(TEXTS))
    if (fields[field] !== undefined) taken[name] = fields[field];
  for (const [field, name] of Object.entries(NUMBERS)) {
    const value = Number(fields[field]);
    if (fields[field] !== undefined && Number.isFinite(value)) taken[name] = value;
  }
  const isHires = ['Hires upscale', 'Hires upscaler'].some((field) => field in fields);
  if (kind === 'txt2img' && isHires && 'Denoising strength' in fields) taken['enable_hr'] = true;
  const skip = Number(fields['Clip skip']);
  const settings = skip > 1 ? { CLIP_stop_at_last_layers: skip } : {};
  const given = (body['override_settings'] ?? {}) as Body;
  return { ...taken, ...body, override_settings: { ...settings, ...given } };
}
