/** What a request draws, as nodes of ComfyUI, in the sense that diffusers' pipelines give to its words. */
import { WorkflowWriter, type Link } from '../workflow-writer.js';
import type { ControlRequest, PictureRequest } from './request.js';

/** A request whose models and pictures are those that are here. */
export interface PicturePlan extends Omit<
  PictureRequest,
  'model' | 'seed' | 'width' | 'height' | 'image' | 'controls'
> {
  readonly checkpoint: string;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** As Load Image names it; `before` for what the stage before it drew. */
  readonly image: string | undefined;
  readonly continues: boolean;
  readonly controls: readonly ControlRequest[];
  /** The safety checker that looks at what is drawn. */
  readonly safetyChecker: string | undefined;
}

/** Mean strengths of diffusers' pipelines: StableDiffusionImg2ImgPipeline's, and all of it for inpainting. */
const STRENGTH = { text2img: 1, img2img: 0.8, inpaint: 1 } as const;
/** Of ImageBlur. */
const MAX_BLUR_RADIUS = 31;

/** How many of a plan's steps are left out: diffusers does `trunc(steps * strength)` of them, the last ones (get_timesteps). */
export function firstStep({ kind, steps, strength = STRENGTH[kind] }: PicturePlan): number {
  return kind === 'text2img' ? 0 : steps - Math.min(Math.trunc(steps * strength + 1e-9), steps);
}

/** The workflow of stages, each of which goes on from the picture of the one before; the last one's is saved. */
export function workflowOf(stages: readonly PicturePlan[]): string {
  const writer = new WorkflowWriter();
  let image: Link | undefined;
  for (const plan of stages) image = draw(writer, plan, image);
  const { prefix, safetyChecker } = stages.at(-1)!;
  const images =
    safetyChecker === undefined
      ? image!
      : writer.add('StableDiffusionSafetyChecker', { images: image!, model_name: safetyChecker });
  writer.node('SaveImage', { images, filename_prefix: prefix });
  return writer.text();
}

interface Loaded {
  readonly model: Link;
  readonly clip: Link;
  readonly vae: Link;
  readonly positive: Link;
  readonly negative: Link;
}

interface Start {
  readonly positive: Link;
  readonly negative: Link;
  readonly latent: Link;
  readonly finish: (drawn: Link) => Link;
}

function draw(writer: WorkflowWriter, plan: PicturePlan, before: Link | undefined): Link {
  const base = load(writer, plan, plan.checkpoint, plan.loras);
  const vae = plan.vae === undefined ? base.vae : writer.add('VAELoader', { vae_name: plan.vae });
  const controlled = withControls(writer, plan, { ...base, vae });
  const start = startOf(writer, plan, controlled, before);
  const latent = sample(writer, plan, { ...controlled, ...start }, start.latent);
  const finished = start.finish(writer.add('VAEDecode', { samples: latent, vae }));
  if (plan.upscaler === undefined) return finished;
  const upscale_model = writer.add('UpscaleModelLoader', { model_name: plan.upscaler });
  return writer.add('ImageUpscaleWithModel', { upscale_model, image: finished });
}

function load(
  writer: WorkflowWriter,
  { prompt, negativePrompt, clipSkip }: PicturePlan,
  checkpoint: string,
  loras: PicturePlan['loras'],
): Loaded {
  const loader = writer.node('CheckpointLoaderSimple', { ckpt_name: checkpoint });
  let [model, clip]: readonly [Link, Link] = [
    [loader, 0],
    [loader, 1],
  ];
  for (const { model: lora_name, weight } of loras) {
    const strengths = { strength_model: weight, strength_clip: weight };
    const lora = writer.node('LoraLoader', { model, clip, lora_name, ...strengths });
    [model, clip] = [
      [lora, 0],
      [lora, 1],
    ];
  }
  // diffusers counts the layers that are left out, ComfyUI from the end.
  if (clipSkip > 0) clip = writer.add('CLIPSetLastLayer', { clip, stop_at_clip_layer: -1 - clipSkip });
  return {
    model,
    clip,
    vae: [loader, 2],
    positive: writer.add('CLIPTextEncode', { clip, text: prompt }, 'Positive Prompt'),
    negative: writer.add('CLIPTextEncode', { clip, text: negativePrompt }, 'Negative Prompt'),
  };
}

function withControls(writer: WorkflowWriter, { controls }: PicturePlan, loaded: Loaded): Loaded {
  let { positive, negative } = loaded;
  for (const { model, image, strength, start, end } of controls) {
    const node = writer.node('ControlNetApplyAdvanced', {
      positive,
      negative,
      control_net: writer.add('ControlNetLoader', { control_net_name: model }),
      image: writer.add('LoadImage', { image }),
      strength,
      start_percent: start,
      end_percent: end,
      vae: loaded.vae,
    });
    [positive, negative] = [
      [node, 0],
      [node, 1],
    ];
  }
  return { ...loaded, positive, negative };
}

function startOf(
  writer: WorkflowWriter,
  plan: PicturePlan,
  { positive, negative, vae }: Loaded,
  before: Link | undefined,
): Start {
  const { kind, width, height, count, mask } = plan;
  const finish = (drawn: Link) => drawn;
  if (kind === 'text2img') {
    const latent = writer.add('EmptyLatentImage', { width, height, batch_size: count });
    return { positive, negative, latent, finish };
  }
  const given = plan.continues ? before! : writer.add('LoadImage', { image: plan.image! });
  const scaling = { upscale_method: 'lanczos', width, height, crop: 'disabled' };
  const pixels = writer.add('ImageScale', { image: given, ...scaling });
  const repeated = (samples: Link): Link =>
    count === 1 || plan.continues ? samples : writer.add('RepeatLatentBatch', { samples, amount: count });
  if (kind === 'img2img') {
    return { positive, negative, latent: repeated(writer.add('VAEEncode', { pixels, vae })), finish };
  }
  const shown = writer.add('ImageScale', { image: writer.add('LoadImage', { image: mask! }), ...scaling });
  const anew = writer.add('ImageToMask', { image: blurred(writer, shown, plan.maskBlur), channel: 'red' });
  const inpainting = writer.node('InpaintModelConditioning', {
    positive,
    negative,
    vae,
    pixels,
    mask: anew,
    noise_mask: true,
  });
  return {
    positive: [inpainting, 0],
    negative: [inpainting, 1],
    latent: repeated([inpainting, 2]),
    finish: (source) =>
      writer.add('ImageCompositeMasked', {
        destination:
          count === 1 || plan.continues
            ? pixels
            : writer.add('RepeatImageBatch', { image: pixels, amount: count }),
        source,
        x: 0,
        y: 0,
        resize_source: false,
        mask: anew,
      }),
  };
}

/** `mask_blur` is the width of a Gaussian in pixels; ImageBlur's `sigma` counts in radii. */
function blurred(writer: WorkflowWriter, image: Link, width: number): Link {
  if (width === 0) return image;
  const blur_radius = Math.min(MAX_BLUR_RADIUS, Math.ceil(3 * width));
  return writer.add('ImageBlur', { image, blur_radius, sigma: Math.max(0.1, width / blur_radius) });
}

function sample(writer: WorkflowWriter, plan: PicturePlan, loaded: Loaded, latent_image: Link): Link {
  const { steps, guidance: cfg, seed, sampling, refiner } = plan;
  const common = { steps, cfg, sampler_name: sampling.sampler, scheduler: sampling.scheduler };
  const { model, positive, negative } = loaded;
  const first = firstStep(plan);
  if (refiner === undefined && first === 0) {
    return writer.add('KSampler', { model, positive, negative, ...common, seed, latent_image, denoise: 1 });
  }
  const part = (
    source: Pick<Loaded, 'model' | 'positive' | 'negative'>,
    latent: Link,
    from: number,
    to: number,
  ) =>
    writer.add('KSamplerAdvanced', {
      model: source.model,
      positive: source.positive,
      negative: source.negative,
      ...common,
      add_noise: from === first ? 'enable' : 'disable',
      noise_seed: seed,
      latent_image: latent,
      start_at_step: from,
      end_at_step: to,
      return_with_leftover_noise: to < steps ? 'enable' : 'disable',
    });
  if (refiner === undefined) return part(loaded, latent_image, first, steps);
  // As diffusers' ensemble of experts: the base until this share of the steps, the refiner from there.
  const turn = Math.min(Math.max(Math.round(steps * plan.refinerStart), first), steps);
  const base = turn === first ? latent_image : part(loaded, latent_image, first, turn);
  return turn === steps ? base : part(load(writer, plan, refiner, []), base, turn, steps);
}
