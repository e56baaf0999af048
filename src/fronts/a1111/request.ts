/** What A1111's clients send, with its defaults (modules/processing.py, modules/api/models.py, 1.10). */
import { z } from 'zod';

/** A1111 keeps nulls as they are and takes its default for them where it uses them. */
const text = (otherwise: string | null = null) => z.string().max(20_000).nullish().default(otherwise);
const number = (otherwise: number | null = null, min = -1e9, max = 1e9) =>
  z.number().min(min).max(max).nullish().default(otherwise);
const whole = (otherwise: number | null, min: number, max: number) =>
  z
    .number()
    .transform((value) => Math.trunc(value))
    .pipe(z.number().int().min(min).max(max))
    .nullish()
    .default(otherwise);
const flag = (otherwise: boolean | null = false) => z.boolean().nullish().default(otherwise);
const side = whole(512, 16, 16_384);
/** Beyond what a double holds, digits are lost before they come here. */
const seed = z
  .union([
    z.number().int(),
    z
      .string()
      .regex(/^-?\d*$/)
      .transform((value) => Number(value || -1)),
  ])
  .pipe(z.number().int().min(-1).max(Number.MAX_SAFE_INTEGER))
  .nullish()
  .default(-1);

const settings = z.record(z.string(), z.unknown());

const common = {
  prompt: text(''),
  negative_prompt: text(''),
  styles: z.array(z.string()).nullish().default(null),
  seed,
  subseed: seed,
  subseed_strength: number(0, 0, 1),
  seed_resize_from_h: number(-1),
  seed_resize_from_w: number(-1),
  sampler_name: text(),
  scheduler: text(),
  batch_size: whole(1, 1, 1000),
  n_iter: whole(1, 1, 1000),
  steps: whole(50, 1, 1000),
  cfg_scale: number(7, 0, 100),
  width: side,
  height: side,
  restore_faces: flag(null),
  tiling: flag(null),
  do_not_save_samples: flag(),
  do_not_save_grid: flag(),
  eta: number(),
  denoising_strength: number(0.75, 0, 1),
  s_min_uncond: number(),
  s_churn: number(),
  s_tmax: number(),
  s_tmin: number(),
  s_noise: number(),
  override_settings: settings.nullish().default(null),
  override_settings_restore_afterwards: flag(true),
  refiner_checkpoint: text(),
  refiner_switch_at: number(null, 0, 1),
  disable_extra_networks: flag(),
  firstpass_image: text(),
  comments: z.record(z.string(), z.unknown()).nullish().default(null),
  sampler_index: text('Euler'),
  script_name: text(),
  script_args: z.array(z.unknown()).nullish().default([]),
  send_images: flag(true),
  save_images: flag(false),
  alwayson_scripts: settings.nullish().default({}),
  force_task_id: text(),
  infotext: text(),
};

export const txt2imgRequest = z.object({
  ...common,
  enable_hr: flag(),
  firstphase_width: whole(0, 0, 16_384),
  firstphase_height: whole(0, 0, 16_384),
  hr_scale: number(2, 1, 16),
  hr_upscaler: text(),
  hr_second_pass_steps: whole(0, 0, 1000),
  hr_resize_x: whole(0, 0, 16_384),
  hr_resize_y: whole(0, 0, 16_384),
  hr_checkpoint_name: text(),
  hr_sampler_name: text(),
  hr_scheduler: text(),
  hr_prompt: text(''),
  hr_negative_prompt: text(''),
});

export const img2imgRequest = z.object({
  ...common,
  init_images: z.array(z.string()).max(1000).nullish().default(null),
  resize_mode: whole(0, 0, 3),
  image_cfg_scale: number(),
  mask: z.string().nullish().default(null),
  mask_blur_x: whole(4, 0, 256),
  mask_blur_y: whole(4, 0, 256),
  mask_blur: whole(null, 0, 256),
  mask_round: flag(true),
  inpainting_fill: whole(0, 0, 3),
  inpaint_full_res: z
    .union([z.boolean(), z.number().transform((value) => value !== 0)])
    .nullish()
    .default(true),
  inpaint_full_res_padding: whole(0, 0, 16_384),
  inpainting_mask_invert: z
    .union([z.number(), z.boolean().transform(Number)])
    .nullish()
    .default(0),
  initial_noise_multiplier: number(null, 0, 10),
  latent_mask: z.string().nullish().default(null),
  include_init_images: flag(),
});

export type Txt2ImgRequest = z.infer<typeof txt2imgRequest>;
export type Img2ImgRequest = z.infer<typeof img2imgRequest>;
/** What both have. */
export type DrawRequest = Pick<Txt2ImgRequest, keyof Txt2ImgRequest & keyof Img2ImgRequest>;

const extras = {
  resize_mode: z.union([z.literal(0), z.literal(1)]).default(0),
  show_extras_results: z.boolean().default(true),
  gfpgan_visibility: z.number().min(0).max(1).default(0),
  codeformer_visibility: z.number().min(0).max(1).default(0),
  codeformer_weight: z.number().min(0).max(1).default(0),
  upscaling_resize: z.number().gt(0).max(16).default(2),
  upscaling_resize_w: z.number().int().min(1).max(16_384).default(512),
  upscaling_resize_h: z.number().int().min(1).max(16_384).default(512),
  upscaling_crop: z.boolean().default(true),
  upscaler_1: z.string().default('None'),
  upscaler_2: z.string().default('None'),
  extras_upscaler_2_visibility: z.number().min(0).max(1).default(0),
  upscale_first: z.boolean().default(false),
};

export const extrasSingleRequest = z.object({ ...extras, image: z.string().default('') });
/** `stable-diffusion-api` has names of its own for the list and what is in it. */
const asListed = (body: unknown) => {
  if (typeof body !== 'object' || body === null || !('image_list' in body)) return body;
  const { image_list: list, ...rest } = body;
  if ('imageList' in rest || !Array.isArray(list)) return body;
  const imageList = list.map((each: unknown) =>
    typeof each === 'object' && each !== null && 'image' in each ? { ...each, data: each.image } : each,
  );
  return { ...rest, imageList };
};

export const extrasBatchRequest = z.preprocess(
  asListed,
  z.object({
    ...extras,
    imageList: z
      .array(z.object({ data: z.string(), name: z.string() }))
      .min(1)
      .max(1000),
  }),
);

export type ExtrasRequest = z.infer<z.ZodObject<typeof extras>>;
