/** A1111's answers about pictures (modules/processing.py, Processed.js). */
import type { Drawing } from './drawing.js';
import { modelName } from './house.js';
import { writeInfotext } from './infotext.js';
import type { DrawRequest } from './request.js';

/** Infotext of each picture. */
export function infotextsOf(request: DrawRequest, drawing: Drawing): readonly string[] {
  return drawing.seeds.map((Seed) =>
    writeInfotext({
      prompt: request.prompt ?? '',
      negative: request.negative_prompt ?? '',
      fields: { ...drawing.fields, Seed },
    }),
  );
}

/** `info`, JSON as text. */
export function infoOf(request: DrawRequest, drawing: Drawing, infotexts: readonly string[]): string {
  const { seeds, options, checkpoint, fields } = drawing;
  const count = seeds.length;
  const prompt = request.prompt ?? '';
  const negative = request.negative_prompt ?? '';
  const restores = request.restore_faces ?? options.face_restoration;
  return JSON.stringify({
    prompt,
    all_prompts: Array.from({ length: count }, () => prompt),
    negative_prompt: negative,
    all_negative_prompts: Array.from({ length: count }, () => negative),
    seed: seeds[0],
    all_seeds: seeds,
    subseed: seeds[0],
    all_subseeds: seeds,
    subseed_strength: 0,
    width: request.width ?? 512,
    height: request.height ?? 512,
    sampler_name: drawing.samplerLabel,
    cfg_scale: request.cfg_scale ?? 7,
    steps: request.steps ?? 50,
    batch_size: request.batch_size ?? 1,
    restore_faces: restores,
    face_restoration_model: restores ? options.face_restoration_model : null,
    sd_model_name: modelName(checkpoint),
    sd_model_hash: null,
    sd_vae_name: options.sd_vae === 'Automatic' ? null : options.sd_vae,
    sd_vae_hash: null,
    seed_resize_from_w: request.seed_resize_from_w,
    seed_resize_from_h: request.seed_resize_from_h,
    denoising_strength: fields['Denoising strength'] ?? null,
    extra_generation_params: extraOf(fields),
    index_of_first_image: 0,
    infotexts,
    styles: request.styles ?? [],
    job_timestamp: '0',
    clip_skip: options.CLIP_stop_at_last_layers,
    is_using_inpainting_conditioning: false,
    version: 'latentd',
  });
}

function extraOf(fields: Drawing['fields']): Record<string, unknown> {
  const isExtra = (name: string) =>
    name.startsWith('Hires') || name.startsWith('Mask') || name === 'Schedule type';
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => isExtra(name) && value !== undefined),
  );
}
