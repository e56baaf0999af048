/** What a sampler is told, and samplers that decode and save. */
import {
  combo,
  defineNode,
  float,
  int,
  link,
  samplerNames,
  sampleLatent,
  schedulerNames,
  seed,
  string,
  type RunContext,
} from '../../public.js';
import { easySave, shown } from './save.js';
import { latentsOf, needed, PIPE_LINE, pipeLink, type EasyPipe } from './pipe.js';

/** Python's 2⁵⁰, the pack's largest seed. */
const MAX_SEED = 1_125_899_906_842_624n;
const cfg = float({ default: 8, min: 0, max: 100 });
const denoise = float({ default: 1, min: 0, max: 1, step: 0.01 });
const scheduler = combo([...schedulerNames, 'align_your_steps', 'gits']);

export const preSampling = defineNode({
  name: 'easy preSampling',
  displayName: 'PreSampling',
  category: 'EasyUse/PreSampling',
  description: 'What a sampler is told, put into a pipe; an image or latents take the place of its own.',
  required: {
    pipe: pipeLink,
    steps: int({ default: 20, min: 1, max: 10_000 }),
    cfg,
    sampler_name: combo(samplerNames),
    scheduler,
    denoise,
    seed: seed({ max: MAX_SEED }),
  },
  optional: { image_to_latent: link('IMAGE'), latent: link('LATENT') },
  outputs: [{ type: PIPE_LINE, name: 'pipe' }],
  async run(
    { pipe, steps, cfg: scale, sampler_name, scheduler: schedule, denoise: share, ...given },
    context,
  ) {
    const { image_to_latent: image, latent } = given;
    const { batchSize } = pipe.settings;
    // A picture of one pixel stands for none.
    const hasImage = image !== undefined && !(image.shape[1] === 1 && image.shape[2] === 1);
    const samples = hasImage
      ? await latentsOf(image, needed(pipe.vae, 'vae'), batchSize, context)
      : image === undefined
        ? (latent ?? pipe.samples)
        : pipe.samples;
    const settings = {
      batchSize,
      steps,
      cfg: scale,
      samplerName: sampler_name,
      scheduler: schedule,
      denoise: share,
    };
    return {
      outputs: [
        {
          ...pipe,
          samples,
          images: hasImage ? image : pipe.images,
          settings: { ...settings, seed: given.seed },
        },
      ],
      ui: { value: [Number(given.seed)] },
    };
  },
});

const IMAGE_OUTPUTS = ['Hide', 'Preview', 'Save', 'Hide&Save', 'Sender', 'Sender&Save', 'None'] as const;
type ImageOutput = (typeof IMAGE_OUTPUTS)[number];

export const easyKSampler = defineNode({
  name: 'easy kSampler',
  displayName: 'EasyKSampler',
  category: 'EasyUse/Sampler',
  drawsNoise: true,
  description: 'Samples what a pipe says, decodes it and saves it.',
  required: {
    pipe: pipeLink,
    image_output: combo(IMAGE_OUTPUTS, { default: 'Preview' }),
    link_id: int({ default: 0, min: 0, max: 2 ** 63, step: 1 }),
    save_prefix: string({ default: 'ComfyUI' }),
  },
  optional: { model: link('MODEL') },
  outputs: [
    { type: PIPE_LINE, name: 'pipe' },
    { type: 'IMAGE', name: 'image' },
  ],
  outputNode: true,
  async run({ pipe, image_output, save_prefix, model }, context) {
    const sampled = await sampledPipe(model === undefined ? pipe : { ...pipe, model }, image_output, context);
    // The pipe keeps its own model.
    const result: EasyPipe = { ...sampled, model: pipe.model };
    const { images } = sampled;
    if (images === undefined) return { outputs: [result, undefined as never] };
    const files = await easySave(images, image_output, save_prefix, context);
    return { outputs: [result, images], ui: shown(image_output, files) };
  },
});

async function sampledPipe(pipe: EasyPipe, output: ImageOutput, context: RunContext): Promise<EasyPipe> {
  const { settings } = pipe;
  const { steps, cfg: scale, samplerName, scheduler: schedule, denoise: share, seed: given } = settings;
  const told = (value: unknown) => needed(value, 'sampling settings (easy preSampling)');
  for (const value of [steps, scale, samplerName, schedule, share, given]) told(value);
  const known = schedulerNames.find((name) => name === schedule);
  if (known === undefined) {
    throw new TypeError(
      `scheduler ${schedule!} isn't here for this sampler: take another, or SamplerCustom with its own node`,
    );
  }
  const samples = await sampleLatent(
    needed(pipe.samples, 'latent'),
    {
      model: needed(pipe.model, 'model'),
      positive: needed(pipe.positive, 'positive prompt'),
      negative: needed(pipe.negative, 'negative prompt'),
      steps: steps!,
      cfg: scale!,
      samplerName: samplerName!,
      scheduler: known,
      denoise: share!,
      seed: BigInt(given!),
    },
    context,
  );
  const images = output === 'None' ? undefined : await needed(pipe.vae, 'vae').decode(samples.samples);
  return { ...pipe, samples, images };
}
