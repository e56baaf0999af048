/**
 * What a host may say of a picture, in either of two forms: flat, in the words of diffusers' pipelines (`model_id`,
 * `num_inference_steps`), or in the groups of the schema that such hosts share (`model`, `scheduler`, `hyperparameters`,
 * `conditioning`, `postprocessing`). Both come to one `PictureRequest`.
 */
import { z } from 'zod';
import { StdioFault } from './fault.js';
import { samplingOf, schedulerOptions, type SchedulerChoice } from './schedulers.js';

const MAX_TEXT = 100_000;
const MAX_SIDE = 16_384;

const text = z.string().max(MAX_TEXT);
const name = z.string().max(4096);
const side = z
  .int()
  .min(16)
  .max(MAX_SIDE)
  .refine((value) => value % 8 === 0, 'a multiple of 8 is needed');
const share = z.number().min(0).max(1);
/** Of Python, -1 means any. */
const seed = z.int().min(-1).max(Number.MAX_SAFE_INTEGER);
const steps = z.int().min(1).max(1000);
const guidance = z.number().min(0).max(100);
const count = z.int().min(1).max(64);

const adapter = z.union([
  name.transform((model) => ({ model, weight: 1 })),
  z
    .looseObject({
      model_id: name.nullish(),
      name: name.nullish(),
      path: name.nullish(),
      weight: z.number().min(-100).max(100).nullish(),
      scale: z.number().min(-100).max(100).nullish(),
    })
    .transform((given, context) => {
      const model = given.model_id ?? given.name ?? given.path;
      if (model === null || model === undefined) {
        context.addIssue({ code: 'custom', message: 'a LoRA has a model_id' });
        return z.NEVER;
      }
      return { model, weight: given.weight ?? given.scale ?? 1 };
    }),
]);

const control = z
  .looseObject({
    model_id: name.nullish(),
    name: name.nullish(),
    image: name.nullish(),
    condition_image: name.nullish(),
    weight: z.number().min(0).max(10).nullish(),
    conditioning_scale: z.number().min(0).max(10).nullish(),
    start: share.nullish(),
    end: share.nullish(),
  })
  .transform((given, context) => {
    const model = given.model_id ?? given.name;
    const image = given.image ?? given.condition_image;
    if (!model || !image) {
      context.addIssue({ code: 'custom', message: 'a control net has a model_id and an image' });
      return z.NEVER;
    }
    const strength = given.weight ?? given.conditioning_scale ?? 1;
    return { model, image, strength, start: given.start ?? 0, end: given.end ?? 1 };
  });

const upscaler = z.union([
  name.transform((model) => ({ model, enabled: true })),
  z
    .looseObject({
      model: name.nullish(),
      model_id: name.nullish(),
      type: name.nullish(),
      enabled: z.boolean().nullish(),
    })
    .transform(({ model, model_id: id, type, enabled }) => ({
      model: model ?? id ?? type ?? '',
      enabled: enabled ?? true,
    })),
]);

const adapters = z.array(adapter).max(32);

const schema = z.looseObject({
  // Flat.
  model_id: name.nullish(),
  model_path: name.nullish(),
  prompt: text.nullish(),
  negative_prompt: text.nullish(),
  width: side.nullish(),
  height: side.nullish(),
  num_inference_steps: steps.nullish(),
  steps: steps.nullish(),
  guidance_scale: guidance.nullish(),
  seed: seed.nullish(),
  num_images_per_prompt: count.nullish(),
  batch_size: count.nullish(),
  strength: share.nullish(),
  denoising_strength: share.nullish(),
  image: name.or(z.string()).nullish(),
  init_image: z.string().nullish(),
  input_image: z.string().nullish(),
  mask: z.string().nullish(),
  mask_image: z.string().nullish(),
  mask_blur: z.number().min(0).max(64).nullish(),
  clip_skip: z.int().min(0).max(24).nullish(),
  vae: name.nullish(),
  refiner: name.nullish(),
  refiner_model_id: name.nullish(),
  denoising_end: share.nullish(),
  high_noise_frac: share.nullish(),
  lora: z.looseObject({ enabled: z.boolean().nullish(), adapters: adapters.nullish() }).nullish(),
  loras: adapters.nullish(),
  control_nets: z.array(control).max(8).nullish(),
  return_base64: z.boolean().nullish(),
  filename_prefix: z.string().max(200).nullish(),
  // In groups.
  model: z
    .union([name, z.looseObject({ base: name.nullish(), refiner: name.nullish(), vae: name.nullish() })])
    .nullish(),
  scheduler: z.union([z.string().max(200), schedulerOptions]).nullish(),
  hyperparameters: z
    .looseObject({
      guidance_scale: guidance.nullish(),
      seed: seed.nullish(),
      height: side.nullish(),
      width: side.nullish(),
      batch_size: count.nullish(),
      negative_prompt: text.nullish(),
      num_inference_steps: steps.nullish(),
      strength: share.nullish(),
    })
    .nullish(),
  conditioning: z
    .looseObject({
      prompt: text.nullish(),
      img2img_strength: share.nullish(),
      mask_blur: z.number().min(0).max(64).nullish(),
      control_nets: z.array(control).max(8).nullish(),
      loras: adapters.nullish(),
      reference_images: z.array(z.string()).max(16).nullish(),
      mask_image: z.string().nullish(),
    })
    .nullish(),
  postprocessing: z
    .looseObject({
      safety_checker: z.boolean().nullish(),
      upscaler: upscaler.nullish(),
      auto_contrast: z.boolean().nullish(),
    })
    .nullish(),
});

export type PictureKind = 'text2img' | 'img2img' | 'inpaint';

export interface PictureRequest {
  readonly kind: PictureKind;
  /** Names as the host has them; a checkpoint's is undefined for the worker's own choice. */
  readonly model: string | undefined;
  readonly refiner: string | undefined;
  readonly vae: string | undefined;
  readonly loras: readonly { readonly model: string; readonly weight: number }[];
  readonly controls: readonly ControlRequest[];
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly steps: number;
  readonly guidance: number;
  readonly sampling: SchedulerChoice;
  /** Undefined for any. */
  readonly seed: number | undefined;
  readonly count: number;
  /** How far it may go from the picture; undefined for what is usual of the kind. */
  readonly strength: number | undefined;
  /** Base64, or a file of the input, output or temp folder. */
  readonly image: string | undefined;
  readonly mask: string | undefined;
  readonly maskBlur: number;
  readonly clipSkip: number;
  /** The share of the steps after which the refiner goes on. */
  readonly refinerStart: number;
  readonly upscaler: string | undefined;
  /** Whether what it draws is looked at by a safety checker. */
  readonly isChecked: boolean;
  readonly wantsBytes: boolean;
  readonly prefix: string;
}

export interface ControlRequest {
  readonly model: string;
  readonly image: string;
  readonly strength: number;
  readonly start: number;
  readonly end: number;
}

const DEFAULT_STEPS = 30;
const DEFAULT_GUIDANCE = 7.5;
/** diffusers' `denoising_end` in its examples of base and refiner. */
const DEFAULT_REFINER_START = 0.8;

/**
 * Reads a request. `kind` is undefined where the host leaves it to what it sends: a mask, a picture, or neither. Throws `StdioFault`
 * naming the field.
 */
export function readRequest(parameters: unknown, kind?: PictureKind): PictureRequest {
  const parsed = schema.safeParse(parameters);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    throw new StdioFault('invalid_request', `${where}: ${issue?.message ?? 'not as it should be'}`, where);
  }
  const given = parsed.data;
  const { hyperparameters: hyper, conditioning, postprocessing } = given;
  const model = typeof given.model === 'string' ? { base: given.model } : given.model;
  const image =
    first(given.image, given.init_image, given.input_image) ?? conditioning?.reference_images?.[0];
  const mask = first(given.mask, given.mask_image, conditioning?.mask_image);
  const scheduler = given.scheduler;
  const chosen = kind ?? (image === undefined ? 'text2img' : mask === undefined ? 'img2img' : 'inpaint');
  const wantedSeed = given.seed ?? hyper?.seed ?? -1;
  if (postprocessing?.auto_contrast === true) throw unsupported('auto_contrast');
  const request: PictureRequest = {
    kind: chosen,
    model: first(given.model_id, model?.base, given.model_path),
    refiner: first(given.refiner, given.refiner_model_id, model?.refiner),
    vae: first(given.vae, model?.vae),
    loras: [
      ...(given.lora?.enabled === false ? [] : (given.lora?.adapters ?? [])),
      ...(given.loras ?? []),
      ...(conditioning?.loras ?? []),
    ],
    controls: [...(given.control_nets ?? []), ...(conditioning?.control_nets ?? [])],
    prompt: given.prompt ?? conditioning?.prompt ?? '',
    negativePrompt: given.negative_prompt ?? hyper?.negative_prompt ?? '',
    width: given.width ?? hyper?.width ?? undefined,
    height: given.height ?? hyper?.height ?? undefined,
    steps:
      given.num_inference_steps ??
      given.steps ??
      hyper?.num_inference_steps ??
      (typeof scheduler === 'object' ? scheduler?.steps : undefined) ??
      DEFAULT_STEPS,
    guidance: given.guidance_scale ?? hyper?.guidance_scale ?? DEFAULT_GUIDANCE,
    sampling: samplingOf(scheduler),
    seed: wantedSeed < 0 ? undefined : wantedSeed,
    count: given.num_images_per_prompt ?? given.batch_size ?? hyper?.batch_size ?? 1,
    strength:
      given.strength ??
      given.denoising_strength ??
      conditioning?.img2img_strength ??
      hyper?.strength ??
      undefined,
    image,
    mask,
    maskBlur: given.mask_blur ?? conditioning?.mask_blur ?? 0,
    clipSkip: given.clip_skip ?? 0,
    refinerStart: given.denoising_end ?? given.high_noise_frac ?? DEFAULT_REFINER_START,
    upscaler: upscalerOf(postprocessing?.upscaler),
    isChecked: postprocessing?.safety_checker === true,
    wantsBytes: given.return_base64 === true,
    prefix: given.filename_prefix ?? 'worker/image',
  };
  requireWhatKindNeeds(request);
  return request;
}

function requireWhatKindNeeds({ kind, prompt, image, mask }: PictureRequest): void {
  if (prompt === '') throw new StdioFault('invalid_request', 'prompt: a text is needed', 'prompt');
  if (kind !== 'text2img' && image === undefined) {
    throw new StdioFault(
      'invalid_request',
      `image: ${kind} begins with a picture, as base64 or the name of a file`,
      'image',
    );
  }
  if (kind === 'inpaint' && mask === undefined) {
    throw new StdioFault('invalid_request', 'mask: inpaint draws anew what is white in a mask', 'mask');
  }
}

function upscalerOf(given: z.infer<typeof upscaler> | null | undefined): string | undefined {
  if (given === null || given === undefined || !given.enabled) return undefined;
  return given.model === '' || given.model.toLowerCase() === 'none' ? undefined : given.model;
}

function unsupported(field: string): StdioFault {
  return new StdioFault(
    'unsupported',
    `postprocessing.${field} is not done here: leave it out or set it to false`,
    `postprocessing.${field}`,
  );
}

function first(...values: readonly (string | null | undefined)[]): string | undefined {
  return values.find((value): value is string => value !== null && value !== undefined && value !== '');
}
