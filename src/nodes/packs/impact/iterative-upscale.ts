/** Latents enlarged step by step, sampled after each (modules/impact/core.py, PixelKSampleUpscaler; impact_pack.py). */
import {
  boolean,
  combo,
  defineNode,
  float,
  int,
  link,
  partOfRun,
  string,
  upscaleImage,
  type CustomType,
  type Image,
  type ImageUpscaleMethod,
  type Latent,
  type RunContext,
  type Tensor,
  type ValueOf,
} from '../../public.js';
import { PARTS } from './basic-pipe.js';
import { basicPipe, cfg, denoise, noiseSeed, schedule, scheduleOption, steps } from './sampler-inputs.js';
import { sampleEnd, type EndSampling, type SchedulerFunction } from './sampling.js';

/** Enlarges a latent by way of pixels and samples it. */
interface LatentUpscaler {
  readonly vae: ValueOf<'VAE'>;
  /** To a size in pixels, fractions cut off. */
  upscale(latent: Latent, width: number, height: number, context: RunContext): Promise<Latent>;
}

const UPSCALER = 'UPSCALER' as CustomType<LatentUpscaler>;
/** Nothing makes one. */
const PK_HOOK = 'PK_HOOK' as CustomType<never>;

const METHODS = ['nearest-exact', 'bilinear', 'lanczos', 'area'] as const;

interface Enlarging extends Omit<EndSampling, 'schedulerFunction'> {
  readonly vae: ValueOf<'VAE'>;
  readonly scale_method: ImageUpscaleMethod;
  readonly use_tiled_vae: boolean;
  readonly tile_size: number;
  readonly upscale_model_opt?: ValueOf<'UPSCALE_MODEL'>;
  readonly scheduler_func_opt?: SchedulerFunction;
}

function upscalerOf(given: Enlarging): LatentUpscaler {
  const { vae, tile_size: tileSize } = given;
  const temporal = { temporalSize: 64, temporalOverlap: 8 };
  const tiles = given.use_tiled_vae ? { tileSize, overlap: 64, ...temporal } : undefined;
  return {
    vae,
    async upscale(latent, width, height, context) {
      const pixels = await enlarged(await vae.decode(latent.samples, tiles), given, width, context);
      const size = { width: Math.trunc(width), height: Math.trunc(height) };
      const samples: Tensor = await vae.encode(upscaleImage(pixels, given.scale_method, size), tiles);
      const { noiseMask } = latent;
      const start: Latent = { samples, ...(noiseMask !== undefined && { noiseMask }) };
      return sampleEnd({ ...given, schedulerFunction: given.scheduler_func_opt }, start, context);
    },
  };
}

/** Enlarged by the network until it is wide enough, where there is one. */
async function enlarged(
  pixels: Image,
  { upscale_model_opt: network }: Enlarging,
  width: number,
  { signal }: RunContext,
): Promise<Image> {
  let image = pixels;
  while (network !== undefined && network.scale > 1 && image.shape[2]! < width) {
    image = await network.upscale(image, { signal });
  }
  return image;
}

const upscaling = { category: 'ImpactPack/Upscale' };
const tiling = {
  use_tiled_vae: boolean({ default: false, tooltip: 'Decodes and encodes in tiles.' }),
  tile_size: int({ default: 512, min: 320, max: 4096, step: 64, tooltip: 'Side of a tile in pixels.' }),
};
const scaleMethod = combo(METHODS, { tooltip: 'How pixels are enlarged.' });
const network = {
  upscale_model_opt: link('UPSCALE_MODEL', { tooltip: 'Enlarges pixels before they are brought to size.' }),
  pk_hook_opt: link(PK_HOOK),
  ...scheduleOption,
};

export const pixelKSampleUpscalerProvider = defineNode({
  ...upscaling,
  name: 'PixelKSampleUpscalerProvider',
  displayName: 'PixelKSampleUpscalerProvider',
  description: 'Enlarges latents by way of pixels and samples them, as a value.',
  required: {
    scale_method: scaleMethod,
    model: PARTS.model,
    vae: PARTS.vae,
    seed: noiseSeed,
    steps,
    cfg,
    ...schedule,
    positive: PARTS.positive,
    negative: PARTS.negative,
    denoise,
    ...tiling,
  },
  optional: network,
  outputs: [{ type: UPSCALER, name: 'UPSCALER' }],
  run: (given) => ({ outputs: [upscalerOf(given)] }),
});

export const pixelKSampleUpscalerProviderPipe = defineNode({
  ...upscaling,
  name: 'PixelKSampleUpscalerProviderPipe',
  displayName: 'PixelKSampleUpscalerProviderPipe',
  description: 'Enlarges latents by way of pixels and samples them by what a pipe holds, as a value.',
  required: {
    scale_method: scaleMethod,
    seed: noiseSeed,
    steps,
    cfg,
    ...schedule,
    denoise,
    use_tiled_vae: tiling.use_tiled_vae,
    basic_pipe: basicPipe,
    tile_size: tiling.tile_size,
  },
  optional: {
    ...network,
    tile_cnet_opt: link('CONTROL_NET'),
    tile_cnet_strength: float({ default: 1, min: 0, max: 1, step: 0.01, tooltip: 'Of the ControlNet.' }),
  },
  outputs: [{ type: UPSCALER, name: 'UPSCALER' }],
  run({ basic_pipe, tile_cnet_opt, ...given }) {
    if (tile_cnet_opt !== undefined) {
      throw new RangeError(
        'tile_cnet_opt is not followed here: apply the ControlNet to the prompts of the pipe',
      );
    }
    return { outputs: [upscalerOf({ ...given, ...basic_pipe })] };
  },
});

const growing = {
  upscale_factor: float({
    default: 1.5,
    min: 1,
    max: 10000,
    step: 0.1,
    tooltip: 'How much longer sides become.',
  }),
  steps: int({ default: 3, min: 1, max: 10000, step: 1, tooltip: 'In how many steps.' }),
  temp_prefix: string({ tooltip: 'Names previews in the pack; none are made here.' }),
  upscaler: link(UPSCALER),
};
const stepMode = combo(['simple', 'geometric'], {
  default: 'simple',
  tooltip: 'Steps of the same length, or of the same factor.',
});

interface Growing {
  readonly upscale_factor: number;
  readonly steps: number;
  readonly step_mode: 'simple' | 'geometric';
}

async function grown(
  latent: Latent,
  upscaler: LatentUpscaler,
  { upscale_factor: factor, steps: count, step_mode }: Growing,
  context: RunContext,
): Promise<Latent> {
  const [, , rows = 0, columns = 0] = latent.samples.shape;
  const unit = step_mode === 'geometric' ? factor ** (1 / count) : Math.max(0, (factor - 1) / count);
  const { noiseMask } = latent;
  let current = latent;
  let scale = 1;
  const enlarge = async (by: number, index: number) => {
    const part = partOfRun(context, index, count);
    const next = await upscaler.upscale(current, columns * 8 * by, rows * 8 * by, part);
    current = { ...next, ...(noiseMask !== undefined && { noiseMask }) };
  };
  for (let index = 0; index < count - 1; index++) {
    scale = step_mode === 'geometric' ? scale * unit : scale + unit;
    await enlarge(scale, index);
  }
  if (scale < factor) await enlarge(factor, count - 1);
  return current;
}

export const iterativeLatentUpscale = defineNode({
  ...upscaling,
  name: 'IterativeLatentUpscale',
  displayName: 'Iterative Upscale (Latent/on Pixel Space)',
  description: 'Enlarges a latent step by step, sampling it after each.',
  drawsNoise: true,
  required: { samples: link('LATENT'), ...growing, step_mode: stepMode },
  optional: {},
  outputs: [
    { type: 'LATENT', name: 'latent' },
    { type: 'VAE', name: 'vae' },
  ],
  async run({ samples, upscaler, ...given }, context) {
    return { outputs: [await grown(samples, upscaler, given, context), upscaler.vae] };
  },
});

export const iterativeImageUpscale = defineNode({
  ...upscaling,
  name: 'IterativeImageUpscale',
  displayName: 'Iterative Upscale (Image)',
  description: 'Enlarges a picture step by step, sampling it after each.',
  drawsNoise: true,
  required: { pixels: link('IMAGE'), ...growing, vae: link('VAE'), step_mode: stepMode },
  optional: {},
  outputs: [{ type: 'IMAGE', name: 'image' }],
  async run({ pixels, upscaler, vae, ...given }, context) {
    const latent = { samples: await vae.encode(pixels) };
    const { samples } = await grown(latent, upscaler, given, context);
    return { outputs: [await vae.decode(samples)] };
  },
});
