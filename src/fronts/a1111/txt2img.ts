/** txt2img, with its hires pass (modules/processing.py, StableDiffusionProcessingTxt2Img). */
import { WorkflowWriter, type Link } from '../workflow-writer.js';
import { drawnSeed, keep, refuseWhatIsNot, seriesOf, type Drawing, type InfoFields } from './drawing.js';
import { applyControls, type KeptUnit } from './controlnet.js';
import { requireModel, modelName, type ModelListing } from './house.js';
import type { KnownOptions } from './options.js';
import type { Txt2ImgRequest } from './request.js';
import { samplingOf } from './samplers.js';
import {
  condition,
  loadModel,
  restoreFaces,
  sample,
  spacingOf,
  stepsOfStrength,
  type LoadedModel,
} from './sampling-nodes.js';
import { latentMode, resizeMethod, upscaleWith } from './upscalers.js';

export interface DrawPlace {
  readonly listing: ModelListing;
  readonly options: KnownOptions;
  /** A checkpoint as listed. */
  readonly checkpoint: string;
  readonly controls: readonly KeptUnit[];
  /** 0 to below 1. */
  readonly random: () => number;
}

interface Target {
  /** Before it is cut. */
  readonly width: number;
  readonly height: number;
  readonly cut: { readonly width: number; readonly height: number } | undefined;
}

/** The workflow of a request. Throws `HttpFault` for what can't be done. */
export function txt2img(given: Txt2ImgRequest, place: DrawPlace): Drawing {
  refuseWhatIsNot(given);
  const request = withFirstPhase(given);
  const { listing, options, checkpoint } = place;
  const writer = new WorkflowWriter();
  const seed = drawnSeed(request.seed, place.random);
  const sampling = samplingOf(request.sampler_name ?? request.sampler_index, request.scheduler);
  const steps = { total: request.steps ?? 50, first: 0 };
  const [width, height] = [request.width ?? 512, request.height ?? 512];
  const cfg = request.cfg_scale ?? 7;
  const loaded = loadModel(writer, checkpoint, options, listing);
  const prompts = {
    positive: request.prompt ?? '',
    negative: request.negative_prompt ?? '',
    plain: request.disable_extra_networks === true,
  };
  const prompted = condition(writer, loaded, prompts, { sampling, steps }, listing);
  const conditioned = applyControls(writer, prompted, place.controls, {
    vae: loaded.vae,
    spacing: spacingOf(sampling, steps),
    width: toEight(width),
    height: toEight(height),
  });
  const empty = writer.add('EmptyLatentImage', {
    width: toEight(width),
    height: toEight(height),
    batch_size: 1,
  });
  let latent = sample(writer, conditioned, empty, { sampling, steps, cfg, seed });
  let used: LoadedModel = loaded;
  const size = { width, height };
  const target = request.enable_hr === true ? targetOf(request, size) : undefined;
  if (target !== undefined) {
    const pass = hiresPass(writer, { request, place, loaded, target, size, seed, cfg }, latent);
    latent = pass.latent;
    used = pass.loaded;
  }
  const decoded = writer.add('VAEDecode', { samples: latent, vae: used.vae });
  const restores = request.restore_faces ?? options.face_restoration;
  const image = restores ? restoreFaces(writer, decoded, options, listing) : decoded;
  keep(writer, image, request.save_images === true, 'txt2img/txt2img');
  const workflow = writer.text();
  const count = (request.batch_size ?? 1) * (request.n_iter ?? 1);
  const drawn = target?.cut ?? target ?? size;
  return {
    workflow,
    series: seriesOf(workflow, count),
    load: {
      model: checkpoint,
      pixels: drawn.width * drawn.height,
      steps: steps.total + (target === undefined ? 0 : secondSteps(request)),
      images: count,
    },
    passes: target === undefined ? 1 : 2,
    seeds: Array.from({ length: count }, (_, index) => seed + index),
    fields: {
      Steps: steps.total,
      Sampler: sampling.label,
      'Schedule type': sampling.scheduleLabel,
      'CFG scale': cfg,
      Seed: seed,
      'Face restoration': restores ? options.face_restoration_model : undefined,
      Size: `${width}x${height}`,
      Model: modelName(checkpoint),
      'Denoising strength': target === undefined ? undefined : (request.denoising_strength ?? 0.75),
      'Clip skip': clipSkip(options),
      ...(target !== undefined && hiresFields(request)),
    },
    options,
    checkpoint,
    samplerLabel: sampling.label,
  };
}

/** Told where it isn't A1111's own 1. */
export function clipSkip({ CLIP_stop_at_last_layers: skip }: KnownOptions): number | undefined {
  return skip <= 1 ? undefined : skip;
}

export function toEight(pixels: number): number {
  return Math.max(16, Math.floor(pixels / 8) * 8);
}

/** The old way to ask for a hires pass: the size of the first one. */
function withFirstPhase(request: Txt2ImgRequest): Txt2ImgRequest {
  const { firstphase_width: width, firstphase_height: height } = request;
  if (!width || !height) return request;
  return { ...request, width, height, hr_resize_x: request.width, hr_resize_y: request.height };
}

/** calculate_target_resolution. */
function targetOf(
  request: Txt2ImgRequest,
  { width, height }: { readonly width: number; readonly height: number },
): Target {
  const [x, y] = [request.hr_resize_x ?? 0, request.hr_resize_y ?? 0];
  const byWidth = { width: x, height: Math.floor((x * height) / width) };
  const byHeight = { width: Math.floor((y * width) / height), height: y };
  if (x === 0 && y === 0) {
    const scale = request.hr_scale ?? 2;
    return { width: Math.trunc(width * scale), height: Math.trunc(height * scale), cut: undefined };
  }
  if (y === 0) return { ...byWidth, cut: undefined };
  if (x === 0) return { ...byHeight, cut: undefined };
  const larger = width / height < x / y ? byWidth : byHeight;
  return { ...larger, cut: { width: x, height: y } };
}

interface HiresPass {
  readonly request: Txt2ImgRequest;
  readonly place: DrawPlace;
  readonly loaded: LoadedModel;
  readonly target: Target;
  readonly size: { readonly width: number; readonly height: number };
  readonly seed: number;
  readonly cfg: number;
}

function secondSteps(request: Txt2ImgRequest): number {
  return request.hr_second_pass_steps || (request.steps ?? 50);
}

function hiresPass(
  writer: WorkflowWriter,
  pass: HiresPass,
  latent: Link,
): { readonly latent: Link; readonly loaded: LoadedModel } {
  const { request, place, target, seed, cfg } = pass;
  const { listing, options } = place;
  const other = request.hr_checkpoint_name;
  const loaded =
    other === null || other === '' || other === 'Use same checkpoint'
      ? pass.loaded
      : loadModel(writer, requireModel(listing, 'checkpoints', other, 'Checkpoint'), options, listing);
  const larger = cutTo(writer, enlarge(writer, pass, latent, loaded), target);
  const strength = request.denoising_strength ?? 0.75;
  if (strength === 0) return { latent: larger, loaded };
  const same = (name: string | null, first: string | null) =>
    name === null || name === '' || name.startsWith('Use same') ? first : name;
  const sampling = samplingOf(
    same(request.hr_sampler_name, request.sampler_name ?? request.sampler_index),
    same(request.hr_scheduler, request.scheduler),
  );
  const steps = stepsOfStrength(secondSteps(request), strength, true);
  const prompts = {
    positive: request.hr_prompt || (request.prompt ?? ''),
    negative: request.hr_negative_prompt || (request.negative_prompt ?? ''),
    plain: request.disable_extra_networks === true,
  };
  const prompted = condition(writer, loaded, prompts, { sampling, steps }, listing);
  const drawn = target.cut ?? target;
  const conditioned = applyControls(writer, prompted, place.controls, {
    vae: loaded.vae,
    spacing: spacingOf(sampling, steps),
    width: toEight(drawn.width),
    height: toEight(drawn.height),
  });
  return { latent: sample(writer, conditioned, larger, { sampling, steps, cfg, seed }), loaded };
}

function enlarge(
  writer: WorkflowWriter,
  { request, target, loaded: first, place }: HiresPass,
  latent: Link,
  loaded: LoadedModel,
): Link {
  const [width, height] = [toEight(target.width), toEight(target.height)];
  const mode = latentMode(request.hr_upscaler);
  if (mode !== undefined) {
    return writer.add('LatentUpscale', {
      samples: latent,
      upscale_method: mode,
      width,
      height,
      crop: 'disabled',
    });
  }
  const name = request.hr_upscaler ?? '';
  const decoded = writer.add('VAEDecode', { samples: latent, vae: first.vae });
  const upscaled = upscaleWith(writer, decoded, name, place.listing);
  const pixels = writer.add('ImageScale', {
    image: upscaled,
    upscale_method: resizeMethod(name),
    width,
    height,
    crop: 'disabled',
  });
  return writer.add('VAEEncode', { pixels, vae: loaded.vae });
}

/** Both sides alike, in latent pixels. */
function cutTo(writer: WorkflowWriter, latent: Link, { width, height, cut }: Target): Link {
  if (cut === undefined) return latent;
  const surplus = (whole: number, part: number) => Math.max(0, Math.floor((whole - part) / 8));
  const [x, y] = [surplus(width, cut.width), surplus(height, cut.height)];
  if (x === 0 && y === 0) return latent;
  return writer.add('LatentCrop', {
    samples: latent,
    width: toEight(width) - x * 8,
    height: toEight(height) - y * 8,
    x: Math.floor(x / 2) * 8,
    y: Math.floor(y / 2) * 8,
  });
}

function hiresFields(request: Txt2ImgRequest): InfoFields {
  const [x, y] = [request.hr_resize_x ?? 0, request.hr_resize_y ?? 0];
  const { hr_prompt: prompt, hr_negative_prompt: negative, hr_sampler_name: sampler } = request;
  return {
    'Hires prompt': prompt && prompt !== request.prompt ? prompt : undefined,
    'Hires negative prompt': negative && negative !== request.negative_prompt ? negative : undefined,
    'Hires checkpoint': request.hr_checkpoint_name ?? undefined,
    'Hires sampler': sampler && sampler !== request.sampler_name ? sampler : undefined,
    'Hires upscale': x === 0 && y === 0 ? (request.hr_scale ?? 2) : undefined,
    'Hires resize': x === 0 && y === 0 ? undefined : `${x}x${y}`,
    'Hires steps': request.hr_second_pass_steps || undefined,
    'Hires upscaler': request.hr_upscaler ?? undefined,
  };
}
