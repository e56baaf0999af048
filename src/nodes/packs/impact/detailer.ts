/** Parts of a picture painted anew at a larger size (modules/impact/core.py, enhance_detail; impact_pack.py, do_detail). */
import {
  differentialDiffusion,
  inpaintModelConditioning,
  conditioningConcat,
  pillowResize,
  rgbOf,
  roundHalfEven,
  tensor,
  withChannels,
  type ConditioningEntry,
  type Image,
  type Mask,
  type RunContext,
  type Tensor,
  type ValueOf,
} from '../../public.js';
import { encodeWithLoras } from './prompts.js';
import { sampleRefined, type Refiner, type SchedulerFunction } from './sampling.js';
import { feathered, partOf, pastedBy, scaledSegs, type Seg, type Segs } from './segs.js';
import { chooserOf } from './seg-prompts.js';

export interface DetailOptions {
  readonly model: ValueOf<'MODEL'>;
  readonly clip: ValueOf<'CLIP'>;
  readonly vae: ValueOf<'VAE'>;
  readonly positive: ValueOf<'CONDITIONING'>;
  readonly negative: ValueOf<'CONDITIONING'>;
  /** What the shorter side of a part becomes, in pixels; parts that are larger stay as they are. */
  readonly guide_size: number;
  /** It is the side of what was found, rather than of the region around it. */
  readonly guide_size_for: boolean;
  readonly max_size: number;
  readonly seed: bigint;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler_name: string;
  readonly scheduler: string;
  readonly denoise: number;
  readonly feather: number;
  /** Limits sampling to the mask. */
  readonly noise_mask: boolean;
  /** Paints parts that are large enough as well. */
  readonly force_inpaint: boolean;
  readonly wildcard?: string | undefined;
  readonly cycle: number;
  readonly inpaint_model?: boolean | undefined;
  readonly noise_mask_feather?: number | undefined;
  readonly scheduler_func_opt?: SchedulerFunction | undefined;
  readonly refiner?: Refiner | undefined;
}

export interface Detailed {
  readonly image: Image;
  /** What the parts were, became, and became with their masks as transparency; the largest first. */
  readonly cropped: readonly Image[];
  readonly refined: readonly Image[];
  readonly transparent: readonly Image[];
  readonly segs: Segs;
}

/** Paints the parts of one picture anew, one after the other. */
export async function detailed(
  given: Image,
  found: Segs,
  options: DetailOptions,
  context: RunContext,
): Promise<Detailed> {
  let image = rgbOf(given);
  const [count = 0, height = 0, width = 0] = image.shape;
  if (count !== 1) {
    throw new RangeError(
      `a detailer takes one picture, this is a batch of ${count}: make a list of it (ImpactImageBatchToImageList)`,
    );
  }
  const segs = scaledSegs(found, height, width);
  const chooser = chooserOf(options.wildcard, segs.items, options.seed);
  const model = await masksByGrey(options.model, options.noise_mask_feather ?? 0, context);
  const [cropped, refined, transparent]: Image[][] = [[], [], []];
  const painted: Seg[] = [];
  for (const [index, seg] of chooser.ordered.entries()) {
    context.signal.throwIfAborted();
    if (seg.mask.data.every((value) => value === 0)) continue;
    const { text, seed } = chooser.choose(seg);
    if (text?.trim() === '[SKIP]') continue;
    if (text?.trim() === '[STOP]') break;
    const part = partOf(image, seg.region);
    const prompts = {
      positive: options.positive.map((entry) => croppedMask(entry, image, seg)),
      negative: options.negative.map((entry) => croppedMask(entry, image, seg)),
    };
    const fresh = await paintedAnew(
      part,
      seg,
      {
        ...options,
        ...prompts,
        model,
        seed: seed ?? BigInt.asUintN(64, options.seed + BigInt(index)),
        text: text ?? '',
        joins: chooser.joins,
      },
      context,
    );
    cropped!.push(part);
    painted.push({ ...seg, image: fresh });
    if (fresh === undefined) continue;
    image = pastedBy(image, fresh, seg.region[0], seg.region[1], feathered(seg.mask, options.feather));
    refined!.push(fresh);
    transparent!.push(withAlpha(fresh, feathered(seg.mask, options.feather)));
  }
  return {
    image,
    cropped: largestFirst(cropped!),
    refined: largestFirst(refined!),
    transparent: largestFirst(transparent!),
    segs: { ...segs, items: painted },
  };
}

function largestFirst(images: readonly Image[]): Image[] {
  return [...images].sort((a, b) => b.shape[1]! - a.shape[1]! || b.shape[2]! - a.shape[2]!);
}

function withAlpha(image: Image, mask: Mask): Image {
  const result = withChannels(image, 4);
  const data = result.data.map((value, at) => (at % 4 === 3 ? mask.data[(at - 3) / 4]! : value));
  return tensor(result.shape, data);
}

/** A soft mask is taken as the share of sampling that each place takes part in. */
async function masksByGrey(
  model: ValueOf<'MODEL'>,
  feather: number,
  context: RunContext,
): Promise<ValueOf<'MODEL'>> {
  if (feather <= 0 || model.guidance.noiseMask !== undefined) return model;
  const { outputs } = await differentialDiffusion.run({ model }, context);
  return outputs[0];
}

/** The part of an entry's mask that lies in the region (crop_condition_mask, which mixes up rows and columns as it scales). */
function croppedMask(entry: ConditioningEntry, image: Image, seg: Seg): ConditioningEntry {
  if (entry.mask === undefined) return entry;
  const scale = [entry.mask.shape[1]! / image.shape[1]!, entry.mask.shape[2]! / image.shape[2]!];
  const region = seg.region.map((edge, at) => roundHalfEven(edge * scale[at % 2]!));
  return { ...entry, mask: partOf(entry.mask, region as unknown as Seg['region']) };
}

interface PaintOptions extends DetailOptions {
  readonly text: string;
  /** The text is added to the prompt rather than taking its place. */
  readonly joins: boolean;
}

/** A part at a larger size, sampled and brought back; undefined for one that stays as it is. */
async function paintedAnew(
  part: Image,
  seg: Seg,
  options: PaintOptions,
  context: RunContext,
): Promise<Image | undefined> {
  const [, height = 0, width = 0] = part.shape;
  const size = paintedSize(width, height, seg, options);
  if (size === undefined) return undefined;
  const prompted = await withText(options, context);
  const large = pillowResize(part, 'LANCZOS', size.height, size.width);
  const mask = options.noise_mask ? feathered(seg.mask, options.noise_mask_feather ?? 0) : undefined;
  const start = await startOf(large, mask, prompted, options, context);
  let latent = start.latent;
  for (let turn = 0; turn < options.cycle; turn++) {
    const seed = BigInt.asUintN(64, options.seed + BigInt(turn));
    const sampling = {
      ...options,
      ...start,
      model: prompted.model,
      seed,
      schedulerFunction: options.scheduler_func_opt,
    };
    latent = await sampleRefined(sampling, options.refiner, latent, context);
  }
  const image = await options.vae.decode(latent.samples);
  return pillowResize(image, 'LANCZOS', height, width);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function paintedSize(width: number, height: number, { box }: Seg, options: DetailOptions): Size | undefined {
  const { guide_size: guide, max_size: most, force_inpaint: isForced } = options;
  const [boxWidth, boxHeight] = [box[2] - box[0], box[3] - box[1]];
  if (!isForced && boxHeight >= guide && boxWidth >= guide) return undefined;
  let factor = guide / (options.guide_size_for ? Math.min(boxWidth, boxHeight) : Math.min(width, height));
  const scaled = (): Size => ({ width: Math.trunc(width * factor), height: Math.trunc(height * factor) });
  const wanted = scaled();
  if (wanted.width > most || wanted.height > most) factor *= most / Math.max(wanted.width, wanted.height);
  const size = scaled();
  if (factor > 1 && size.width > 0 && size.height > 0) return size;
  return isForced ? { width, height } : undefined;
}

type Prompted = Pick<DetailOptions, 'model' | 'positive' | 'negative'>;

/** The part's own text, with its LoRAs, in the place of the prompt or beside it. */
async function withText(options: PaintOptions, context: RunContext): Promise<Prompted> {
  const { model, clip, positive, negative, text, seed } = options;
  if (text === '') return { model, positive, negative };
  const own = await encodeWithLoras({ model, clip }, text, seed, context);
  if (!options.joins) return { model: own.model, positive: own.conditioning.slice(0, 1), negative };
  const { outputs } = await conditioningConcat.run(
    { conditioning_to: positive, conditioning_from: own.conditioning },
    context,
  );
  return { model: own.model, positive: outputs[0], negative };
}

async function startOf(
  pixels: Image,
  mask: Mask | undefined,
  { positive, negative }: Prompted,
  { vae, inpaint_model }: DetailOptions,
  context: RunContext,
): Promise<Pick<Prompted, 'positive' | 'negative'> & { readonly latent: ValueOf<'LATENT'> }> {
  if (mask !== undefined && inpaint_model === true) {
    const inputs = { positive, negative, vae, pixels, mask, noise_mask: true };
    const { outputs } = await inpaintModelConditioning.run(inputs, context);
    return { positive: outputs[0], negative: outputs[1], latent: outputs[2] };
  }
  const samples: Tensor = await vae.encode(pixels);
  return {
    positive,
    negative,
    latent: { samples, ...(mask !== undefined && { noiseMask: mask }) },
  };
}
