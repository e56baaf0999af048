/** Samplers and latents. */
import {
  combo,
  defineNode,
  float,
  kSampler,
  link,
  resizeCorners,
  resizeNearest,
  roundHalfEven,
  tensor,
  upscaleLatent,
  type Tensor,
} from '../../public.js';
import { SEED } from './types.js';

const { required } = kSampler;

export const wasKSampler = defineNode({
  name: 'KSampler (WAS)',
  displayName: 'KSampler (WAS)',
  category: 'WAS Suite/Sampling',
  description: kSampler.description,
  drawsNoise: true,
  required: {
    model: required.model,
    seed: link(SEED),
    steps: required.steps,
    cfg: float({ default: 8, min: 0, max: 100, tooltip: 'How closely the picture follows the prompt.' }),
    sampler_name: required.sampler_name,
    scheduler: required.scheduler,
    positive: required.positive,
    negative: required.negative,
    latent_image: required.latent_image,
    denoise: required.denoise,
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  async run({ seed, ...given }, context) {
    return { outputs: (await kSampler.run({ ...given, seed: BigInt(seed.seed) }, context)).outputs };
  },
});

export const latentUpscaleByFactor = defineNode({
  name: 'Latent Upscale by Factor (WAS)',
  displayName: 'Latent Upscale by Factor (WAS)',
  category: 'WAS Suite/Latent/Transform',
  description: 'Resizes latents by a factor.',
  required: {
    samples: link('LATENT'),
    mode: combo(['area', 'bicubic', 'bilinear', 'nearest']),
    factor: float({ default: 2, min: 0.1, max: 8, step: 0.01 }),
    align: combo(['true', 'false'], {
      tooltip: 'true keeps the outermost values where they are; of bicubic and bilinear alone.',
    }),
  },
  optional: {},
  outputs: [{ type: 'LATENT', name: 'LATENT' }],
  run({ samples: latent, mode, factor, align }) {
    const [batch = 0, channels = 0, ...sides] = latent.samples.shape;
    const [height = 0, width = 0] = sides.map((side) => roundHalfEven(side * factor));
    const resized = (): Tensor => {
      if (mode === 'nearest') {
        const planes = tensor([batch * channels, ...sides, 1], latent.samples.data);
        return tensor([batch, channels, height, width], resizeNearest(planes, { width, height }).data);
      }
      if (mode === 'area' || align === 'false') return upscaleLatent(latent.samples, mode, { width, height });
      return resizeCorners(latent.samples, mode, { width, height });
    };
    return { outputs: [{ ...latent, samples: resized() }] };
  },
});
