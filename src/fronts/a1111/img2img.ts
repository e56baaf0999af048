/** img2img and inpainting (modules/processing.py, StableDiffusionProcessingImg2Img). */
import { SERIES_INDEX } from '../../engine-process/task.js';
import { WorkflowWriter, type Link, type WrittenInput } from '../workflow-writer.js';
import { applyControls } from './controlnet.js';
import { drawnSeed, keep, refuseWhatIsNot, seriesOf, type Drawing } from './drawing.js';
import { HttpFault } from './fault.js';
import { modelName } from './house.js';
import type { Img2ImgRequest } from './request.js';
import { samplingOf } from './samplers.js';
import {
  condition,
  loadModel,
  restoreFaces,
  sample,
  spacingOf,
  stepsOfStrength,
  type Conditioned,
} from './sampling-nodes.js';
import { clipSkip, toEight, type DrawPlace } from './txt2img.js';

/** Pictures of a request, as Load Image names them. */
export interface GivenImages {
  readonly images: readonly string[];
  readonly mask: string | undefined;
}

const FITS = ['stretch', 'crop', 'fill', 'stretch'] as const;
/** `inpainting_fill`. */
const FILL = { fill: 0, original: 1, noise: 2, nothing: 3 } as const;
const JUST_RESIZE_LATENT = 3;

/**
 * The workflow of a request. Several pictures are a batch: their names differ in `SERIES_INDEX` alone. Throws `HttpFault` for what can't be
 * done.
 */
export function img2img(request: Img2ImgRequest, given: GivenImages, place: DrawPlace): Drawing {
  refuseWhatIsNot(request);
  if ((request.initial_noise_multiplier ?? place.options.initial_noise_multiplier) !== 1) {
    throw new HttpFault(422, 'initial_noise_multiplier: noise is not scaled here; leave it at 1');
  }
  const { listing, options, checkpoint } = place;
  const writer = new WorkflowWriter();
  const seed = drawnSeed(request.seed, place.random);
  const sampling = samplingOf(request.sampler_name ?? request.sampler_index, request.scheduler);
  const strength = request.denoising_strength ?? 0.75;
  const steps = stepsOfStrength(request.steps ?? 50, strength, options.img2img_fix_steps);
  const cfg = request.cfg_scale ?? 7;
  const [width, height] = [toEight(request.width ?? 512), toEight(request.height ?? 512)];
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
    width,
    height,
  });
  const count = countOf(request, given);
  const prepared = prepare(writer, request, given, { width, height });
  const start = latentOf(writer, request, {
    prepared,
    given,
    conditioned,
    vae: loaded.vae,
    seed,
    width,
    height,
  });
  const latent = sample(writer, start.conditioned, start.latent, { sampling, steps, cfg, seed });
  const decoded = writer.add('VAEDecode', { samples: latent, vae: loaded.vae });
  const restores = request.restore_faces ?? options.face_restoration;
  const whole = restores ? restoreFaces(writer, decoded, options, listing) : decoded;
  const image =
    given.mask === undefined
      ? whole
      : writer.add('A1111PasteImage', { image: whole, overlay: [prepared, 3] });
  keep(writer, image, request.save_images === true, 'img2img/img2img');
  const workflow = writer.text();
  const series = seriesOf(workflow, count);
  return {
    workflow,
    series:
      series && given.images.length > 1
        ? { ...series, varying: [...series.varying, ...names(workflow)] }
        : series,
    load: { model: checkpoint, pixels: width * height, steps: steps.total - steps.first, images: count },
    passes: 1,
    seeds: Array.from({ length: count }, (_, index) => seed + index),
    fields: {
      Steps: request.steps ?? 50,
      Sampler: sampling.label,
      'Schedule type': sampling.scheduleLabel,
      'CFG scale': cfg,
      Seed: seed,
      'Face restoration': restores ? options.face_restoration_model : undefined,
      Size: `${width}x${height}`,
      Model: modelName(checkpoint),
      'Denoising strength': strength,
      'Clip skip': clipSkip(options),
      'Mask blur': given.mask === undefined ? undefined : blurs(request).text,
    },
    options,
    checkpoint,
    samplerLabel: sampling.label,
  };
}

/** As many pictures as A1111 makes. */
function countOf(request: Img2ImgRequest, { images }: GivenImages): number {
  const [batch, times] = [request.batch_size ?? 1, request.n_iter ?? 1];
  if (images.length <= 1) return batch * times;
  if (images.length > batch) {
    throw new HttpFault(422, `bad number of images passed: ${images.length}; expecting ${batch} or less`);
  }
  if (times > 1) throw new HttpFault(422, 'n_iter must be 1 where there are several init_images');
  return images.length;
}

function names(workflow: string) {
  const nodes = JSON.parse(workflow) as Record<string, { inputs: Record<string, unknown> }>;
  return Object.entries(nodes)
    .filter(([, { inputs }]) => typeof inputs['image'] === 'string' && inputs['image'].includes(SERIES_INDEX))
    .map(([node]) => ({ node, input: 'image' }));
}

function blurs(request: Img2ImgRequest): { readonly x: number; readonly y: number; readonly text: string } {
  const x = request.mask_blur ?? request.mask_blur_x ?? 4;
  const y = request.mask_blur ?? request.mask_blur_y ?? 4;
  return { x, y, text: x === y ? String(x) : `${x}x${y}` };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The node that fits picture and mask. */
function prepare(writer: WorkflowWriter, request: Img2ImgRequest, given: GivenImages, size: Size): string {
  const loaded = writer.node('LoadImage', { image: given.images[0]! });
  const mask = given.mask === undefined ? undefined : writer.node('LoadImage', { image: given.mask });
  const { x, y } = blurs(request);
  const masked: Record<string, WrittenInput> =
    mask === undefined ? {} : { mask: [mask, 0], mask_transparency: [mask, 1] };
  return writer.node('A1111PrepareImage', {
    image: [loaded, 0],
    transparency: [loaded, 1],
    ...size,
    resize_mode: FITS[request.resize_mode ?? 0]!,
    mask_blur_x: x,
    mask_blur_y: y,
    // What is filled with noise or nothing is given colours first, as there.
    fill: (request.inpainting_fill ?? 0) !== FILL.original,
    only_masked: request.inpaint_full_res ?? true,
    padding: request.inpaint_full_res_padding ?? 0,
    invert: Boolean(request.inpainting_mask_invert),
    ...masked,
  });
}

interface Start {
  readonly prepared: string;
  readonly given: GivenImages;
  readonly conditioned: Conditioned;
  readonly vae: Link;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
}

/** What sampling begins from, and what an inpainting model is shown. */
function latentOf(
  writer: WorkflowWriter,
  request: Img2ImgRequest,
  { prepared, given, conditioned, vae, seed, width, height }: Start,
): { readonly latent: Link; readonly conditioned: Conditioned } {
  const pixels: Link = [prepared, 0];
  if (given.mask === undefined) {
    return { latent: encode(writer, request, given, pixels, vae, { width, height }), conditioned };
  }
  const shown = writer.node('InpaintModelConditioning', {
    positive: conditioned.positive,
    negative: conditioned.negative,
    vae,
    pixels,
    mask: [prepared, 1],
    noise_mask: false,
  });
  const mask: Link = [prepared, 2];
  const filled = fillLatent(writer, request, [shown, 2], mask, {
    model: conditioned.model,
    seed,
    width,
    height,
  });
  return {
    latent: writer.add('SetLatentNoiseMask', { samples: filled, mask }),
    conditioned: { ...conditioned, positive: [shown, 0], negative: [shown, 1] },
  };
}

/** Resize mode 3 encodes the picture as it is and stretches the latent. */
function encode(
  writer: WorkflowWriter,
  request: Img2ImgRequest,
  { images }: GivenImages,
  pixels: Link,
  vae: Link,
  size: Size,
): Link {
  if (request.resize_mode !== JUST_RESIZE_LATENT) return writer.add('VAEEncode', { pixels, vae });
  const samples = writer.add('VAEEncode', { pixels: writer.add('LoadImage', { image: images[0]! }), vae });
  return writer.add('LatentUpscale', { samples, upscale_method: 'bilinear', ...size, crop: 'disabled' });
}

function fillLatent(
  writer: WorkflowWriter,
  request: Img2ImgRequest,
  latent: Link,
  mask: Link,
  { model, seed, width, height }: { readonly model: Link; readonly seed: number } & Size,
): Link {
  const fill = request.inpainting_fill ?? 0;
  if (fill === FILL.fill || fill === FILL.original) return latent;
  const empty = writer.add('EmptyLatentImage', { width, height, batch_size: 1 });
  const source =
    fill === FILL.nothing
      ? empty
      : writer.add('AddNoise', {
          model,
          noise: writer.add('RandomNoise', { noise_seed: seed }),
          sigmas: writer.add('ManualSigmas', { sigmas: '1.0' }),
          latent_image: empty,
        });
  return writer.add('LatentCompositeMasked', {
    destination: latent,
    source,
    x: 0,
    y: 0,
    resize_source: false,
    mask,
  });
}
