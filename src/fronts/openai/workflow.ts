/** What a request runs, as nodes of ComfyUI. */
import { WorkflowWriter, type Link } from '../workflow-writer.js';
import { stepsOf, type ImageRequest, type ImageSize } from './request.js';

export interface EditedPicture {
  /** As Load Image names it. */
  readonly image: string;
  /** The picture whose transparency says what is drawn anew; all of it without. */
  readonly mask: string | undefined;
}

export interface ImagePlan extends ImageSize {
  readonly checkpoint: string;
  readonly seed: number;
  readonly edits: EditedPicture | undefined;
}

/** How far an edit without a mask goes from the picture. */
const STRENGTH = { low: 0.75, high: 0.5 } as const;

const CFG = 7;

/** The workflow, and the node whose seed tells pictures apart. */
export function workflowOf(
  request: ImageRequest,
  plan: ImagePlan,
): { readonly workflow: string; readonly sampler: string } {
  const writer = new WorkflowWriter();
  const checkpoint = writer.node('CheckpointLoaderSimple', { ckpt_name: plan.checkpoint });
  const [model, clip, vae]: readonly Link[] = [
    [checkpoint, 0],
    [checkpoint, 1],
    [checkpoint, 2],
  ];
  const encode = (text: string, title: string) => writer.add('CLIPTextEncode', { clip: clip!, text }, title);
  const prompts = {
    positive: encode(request.prompt, 'Positive Prompt'),
    negative: encode(request.negative_prompt ?? '', 'Negative Prompt'),
  };
  const start = startOf(writer, request, plan, { ...prompts, vae: vae! });
  const sampler = writer.node('KSampler', {
    model: model!,
    positive: start.positive,
    negative: start.negative,
    seed: plan.seed,
    steps: stepsOf(request),
    cfg: request.cfg_scale ?? CFG,
    sampler_name: request.sampler ?? 'dpmpp_2m',
    scheduler: request.scheduler ?? 'karras',
    latent_image: start.latent,
    denoise: start.denoise,
  });
  const drawn = writer.add('VAEDecode', { samples: [sampler, 0], vae: vae! });
  const images = start.finish(drawn);
  writer.node('SaveImage', { images, filename_prefix: 'openai/image' });
  return { workflow: writer.text(), sampler };
}

interface Start {
  readonly positive: Link;
  readonly negative: Link;
  readonly latent: Link;
  readonly denoise: number;
  readonly finish: (drawn: Link) => Link;
}

function startOf(
  writer: WorkflowWriter,
  request: ImageRequest,
  { width, height, edits }: ImagePlan,
  given: { readonly positive: Link; readonly negative: Link; readonly vae: Link },
): Start {
  const { positive, negative, vae } = given;
  const whole = (drawn: Link) => drawn;
  if (edits === undefined) {
    const latent = writer.add('EmptyLatentImage', { width, height, batch_size: 1 });
    return { positive, negative, latent, denoise: 1, finish: whole };
  }
  const image = writer.add('LoadImage', { image: edits.image });
  const scaling = { upscale_method: 'lanczos', width, height, crop: 'center' };
  const pixels = writer.add('ImageScale', { image, ...scaling });
  if (edits.mask === undefined) {
    const denoise = request.strength ?? STRENGTH[request.input_fidelity ?? 'low'];
    return { positive, negative, latent: writer.add('VAEEncode', { pixels, vae }), denoise, finish: whole };
  }
  // White where it is transparent; brought to the size as the picture is.
  const cut = writer.node('LoadImage', { image: edits.mask });
  const shown = writer.add('ImageScale', {
    image: writer.add('MaskToImage', { mask: [cut, 1] }),
    ...scaling,
  });
  const mask = writer.add('ImageToMask', { image: shown, channel: 'red' });
  const inpainting = writer.node('InpaintModelConditioning', {
    positive,
    negative,
    vae,
    pixels,
    mask,
    noise_mask: true,
  });
  return {
    positive: [inpainting, 0],
    negative: [inpainting, 1],
    latent: [inpainting, 2],
    denoise: request.strength ?? 1,
    finish: (drawn) =>
      writer.add('ImageCompositeMasked', {
        destination: pixels,
        source: drawn,
        x: 0,
        y: 0,
        resize_source: false,
        mask,
      }),
  };
}
