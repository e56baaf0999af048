/** Pipes taken apart and put together. */
import {
  boolean,
  combo,
  conditioningAverage,
  conditioningCombine,
  conditioningConcat,
  conditioningSetTimestepRange,
  defineNode,
  float,
  int,
  link,
  string,
  type RunContext,
  type ValueOf,
} from '../../public.js';
import { encodePrompt, type EasyPrompt } from './encode.js';
import {
  interpretation,
  latentsOf,
  needed,
  normalization,
  PIPE_LINE,
  pipeLink,
  XYPLOT,
  type EasyPipe,
} from './pipe.js';

const category = 'EasyUse/Pipe';
const parts = {
  pipe: pipeLink,
  model: link('MODEL'),
  pos: link('CONDITIONING'),
  neg: link('CONDITIONING'),
  latent: link('LATENT'),
  vae: link('VAE'),
  clip: link('CLIP'),
  image: link('IMAGE'),
};

const EMPTY: EasyPipe = { settings: { batchSize: 1 } };

interface Parts {
  readonly pipe?: EasyPipe | undefined;
  readonly model?: ValueOf<'MODEL'> | undefined;
  readonly pos?: ValueOf<'CONDITIONING'> | undefined;
  readonly neg?: ValueOf<'CONDITIONING'> | undefined;
  readonly latent?: ValueOf<'LATENT'> | undefined;
  readonly vae?: ValueOf<'VAE'> | undefined;
  readonly clip?: ValueOf<'CLIP'> | undefined;
  readonly image?: ValueOf<'IMAGE'> | undefined;
}

/** A pipe with some of its parts replaced; of an image and no latents, latents are made. */
async function changed(given: Parts, context: RunContext, imageFirst: boolean): Promise<EasyPipe> {
  const { pipe = EMPTY, latent, image } = given;
  const vae = given.vae ?? pipe.vae;
  const encode = image !== undefined && (imageFirst || latent === undefined);
  return {
    ...pipe,
    model: given.model ?? pipe.model,
    positive: given.pos ?? pipe.positive,
    negative: given.neg ?? pipe.negative,
    clip: given.clip ?? pipe.clip,
    vae,
    samples: encode
      ? await latentsOf(image, needed(vae, 'vae'), pipe.settings.batchSize, context)
      : (latent ?? pipe.samples),
    images: image ?? (latent === undefined || imageFirst ? pipe.images : undefined),
  };
}

export const pipeIn = defineNode({
  name: 'easy pipeIn',
  displayName: 'Pipe In',
  category,
  description: 'Puts a pipe together, or replaces parts of one.',
  required: {},
  optional: { ...parts, xyPlot: link(XYPLOT) },
  outputs: [{ type: PIPE_LINE, name: 'pipe' }],
  run: async (given, context) => ({ outputs: [await changed(given, context, false)] }),
});

/** What a pipe lacks is nothing, as in the pack. */
const partOf = <Value>(value: Value | undefined): Value => value as Value;

export const pipeOut = defineNode({
  name: 'easy pipeOut',
  displayName: 'Pipe Out',
  category,
  description: 'Takes a pipe apart.',
  required: { pipe: pipeLink },
  optional: {},
  outputs: [
    { type: PIPE_LINE, name: 'pipe' },
    { type: 'MODEL', name: 'model' },
    { type: 'CONDITIONING', name: 'pos' },
    { type: 'CONDITIONING', name: 'neg' },
    { type: 'LATENT', name: 'latent' },
    { type: 'VAE', name: 'vae' },
    { type: 'CLIP', name: 'clip' },
    { type: 'IMAGE', name: 'image' },
    { type: 'INT', name: 'seed' },
  ],
  run({ pipe }) {
    const { model, positive, negative, samples, vae, clip, images, settings } = pipe;
    return {
      outputs: [
        pipe,
        partOf(model),
        partOf(positive),
        partOf(negative),
        partOf(samples),
        partOf(vae),
        partOf(clip),
        partOf(images),
        partOf(settings.seed),
      ],
    };
  },
});

const share = (initial: number) => float({ default: initial, min: 0, max: 1, step: 0.001 });
const MODES = ['replace', 'concat', 'combine', 'average', 'timestep'] as const;

interface Joining {
  readonly conditioning_mode: (typeof MODES)[number];
  readonly average_strength: number;
  readonly old_cond_start: number;
  readonly old_cond_end: number;
  readonly new_cond_start: number;
  readonly new_cond_end: number;
}

type Prompt = ValueOf<'CONDITIONING'>;

/** The old prompt and the new one as one. */
async function joined(
  old: Prompt | undefined,
  own: Prompt,
  how: Joining,
  context: RunContext,
): Promise<Prompt> {
  if (old === undefined) return own;
  const limited = async (conditioning: Prompt, start: number, end: number) =>
    (await conditioningSetTimestepRange.run({ conditioning, start, end }, context)).outputs[0];
  const both = async (conditioning_1: Prompt, conditioning_2: Prompt) =>
    (await conditioningCombine.run({ conditioning_1, conditioning_2 }, context)).outputs[0];
  switch (how.conditioning_mode) {
    case 'replace':
      return own;
    case 'concat':
      return (await conditioningConcat.run({ conditioning_to: own, conditioning_from: old }, context))
        .outputs[0];
    case 'combine':
      return both(old, own);
    case 'average': {
      const strength = { conditioning_to_strength: how.average_strength };
      const mixed = { conditioning_to: own, conditioning_from: old, ...strength };
      return (await conditioningAverage.run(mixed, context)).outputs[0];
    }
    case 'timestep':
      return both(
        await limited(old, how.old_cond_start, how.old_cond_end),
        await limited(own, how.new_cond_start, how.new_cond_end),
      );
  }
}

export const pipeEdit = defineNode({
  name: 'easy pipeEdit',
  displayName: 'Pipe Edit',
  category,
  description:
    'Replaces parts of a pipe; prompts are encoded anew, and put together with those that are there.',
  required: {
    clip_skip: int({ default: -1, min: -24, max: 0, step: 1 }),
    optional_positive: string({ multiline: true }),
    positive_token_normalization: normalization,
    positive_weight_interpretation: interpretation,
    optional_negative: string({ multiline: true }),
    negative_token_normalization: normalization,
    negative_weight_interpretation: interpretation,
    a1111_prompt_style: boolean({ default: false, tooltip: 'Needs another pack, and is refused here.' }),
    conditioning_mode: combo(MODES, { default: 'replace' }),
    average_strength: float({ default: 1, min: 0, max: 1, step: 0.01 }),
    old_cond_start: share(0),
    old_cond_end: share(1),
    new_cond_start: share(0),
    new_cond_end: share(1),
  },
  optional: parts,
  outputs: [
    { type: PIPE_LINE, name: 'pipe' },
    { type: 'MODEL', name: 'model' },
    { type: 'CONDITIONING', name: 'pos' },
    { type: 'CONDITIONING', name: 'neg' },
    { type: 'LATENT', name: 'latent' },
    { type: 'VAE', name: 'vae' },
    { type: 'CLIP', name: 'clip' },
    { type: 'IMAGE', name: 'image' },
  ],
  async run(given, context) {
    // As in the pack: what the pipe has counts, unless a text takes its place.
    const { pos, neg, ...others } = given;
    let edited = await changed(others, context, true);
    const written = (side: 'positive' | 'negative'): EasyPrompt => ({
      text: given[`optional_${side}`],
      normalization: given[`${side}_token_normalization`],
      interpretation: given[`${side}_weight_interpretation`],
      clipSkip: given.clip_skip,
      a1111Style: given.a1111_prompt_style,
    });
    for (const [side, linked] of [
      ['positive', pos],
      ['negative', neg],
    ] as const) {
      if (linked !== undefined || given[`optional_${side}`] === '') continue;
      const targets = { model: needed(edited.model, 'model'), clip: needed(edited.clip, 'clip') };
      const { model, clip, conditioning } = await encodePrompt(targets, written(side), context);
      edited = { ...edited, model, clip, [side]: await joined(edited[side], conditioning, given, context) };
    }
    const { model, positive, negative, samples, vae, clip, images } = edited;
    return {
      outputs: [
        edited,
        partOf(model),
        partOf(positive),
        partOf(negative),
        partOf(samples),
        partOf(vae),
        partOf(clip),
        partOf(images),
      ],
    };
  },
});
