/** Loaders that make a pipe: checkpoint, VAE, LoRAs, prompts and an empty latent. */
import {
  applyLoraFile,
  boolean,
  checkpointLoaderSimple,
  combo,
  defineNode,
  emptyLatentImage,
  float,
  int,
  link,
  string,
  vaeLoader,
  type InputSpec,
  type InputSpecs,
  type RunContext,
  type ValueOf,
} from '../../public.js';
import { encodePrompt, type EasyPrompt } from './encode.js';
import {
  CONTROL_NET_STACK,
  interpretation,
  LORA_STACK,
  normalization,
  PIPE_LINE,
  type EasyPipe,
  type LoraStack,
} from './pipe.js';

const MAX_RESOLUTION = 16384;
const CUSTOM = 'width x height (custom)';
const RESOLUTIONS = (
  '512 512,512 768,576 1024,768 512,768 768,768 1024,768 1280,768 1344,768 1536,816 1920,832 1152,832 1216,896 1152,896 1088,1024 1024,' +
  '1024 576,1024 768,1080 1920,1440 2560,1088 896,1216 832,1152 832,1152 896,1280 768,1344 768,1536 640,1536 768,1920 816,1920 1080,2560 1440'
)
  .split(',')
  .map((pair) => pair.replace(' ', ' x '));

const BAKED = 'Baked VAE';
const strength = float({ default: 1, min: -10, max: 10, step: 0.01 });
const side = int({
  default: 512,
  min: 64,
  max: MAX_RESOLUTION,
  step: 8,
  tooltip: `Of resolution ${CUSTOM}.`,
});
const prompt = string({ multiline: true });
const batchSize = int({ default: 1, min: 1, max: 4096 });

const model = {
  vae_name: combo((folders) => [BAKED, ...folders.list('vae')]),
  clip_skip: int({ default: -2, min: -24, max: 0, step: 1 }),
  lora_name: combo((folders) => ['None', ...folders.list('loras')]),
  lora_model_strength: strength,
  lora_clip_strength: strength,
  resolution: combo([CUSTOM, ...RESOLUTIONS], { default: '512 x 512' }),
  empty_latent_width: side,
  empty_latent_height: side,
};
const stacks = { optional_lora_stack: link(LORA_STACK), optional_controlnet_stack: link(CONTROL_NET_STACK) };
const a1111Style = boolean({ default: false, tooltip: 'Needs another pack, and is refused here.' });

interface Loading {
  readonly ckpt_name: string;
  readonly vae_name: string;
  readonly clip_skip: number;
  readonly lora_name: string;
  readonly lora_model_strength: number;
  readonly lora_clip_strength: number;
  readonly resolution: string;
  readonly empty_latent_width: number;
  readonly empty_latent_height: number;
  readonly batch_size: number;
  readonly optional_lora_stack?: LoraStack | undefined;
  readonly model_override?: ValueOf<'MODEL'> | undefined;
  readonly clip_override?: ValueOf<'CLIP'> | undefined;
  readonly vae_override?: ValueOf<'VAE'> | undefined;
}

type Weighing = Pick<EasyPrompt, 'normalization' | 'interpretation'>;

async function loaded(given: Loading, context: RunContext) {
  const { model_override, clip_override, vae_override, vae_name } = given;
  if (model_override !== undefined && clip_override !== undefined && vae_override !== undefined) {
    return { model: model_override, clip: clip_override, vae: await vaeOf(vae_name, vae_override, context) };
  }
  if (given.ckpt_name === 'None')
    throw new TypeError('Please select a checkpoint or provide a model override.');
  const [own, clip, vae] = (await checkpointLoaderSimple.run({ ckpt_name: given.ckpt_name }, context))
    .outputs;
  return {
    model: model_override ?? own,
    // As in the pack, a text encoder counts where no VAE is given beside it.
    clip: vae_override === undefined ? (clip_override ?? clip) : clip,
    vae: await vaeOf(vae_name, vae_override ?? vae, context),
  };
}

async function vaeOf(name: string, own: ValueOf<'VAE'>, context: RunContext): Promise<ValueOf<'VAE'>> {
  if (name === BAKED) return own;
  return (await vaeLoader.run({ vae_name: name }, context)).outputs[0];
}

type LoadedPipe = {
  readonly [Part in Exclude<keyof EasyPipe, 'images'>]-?: NonNullable<EasyPipe[Part]>;
};

/** The pipe of a loader. */
async function pipeOf(
  given: Loading,
  prompts: { readonly positive: string; readonly negative: string; readonly a1111Style: boolean },
  weighing: { readonly positive: Weighing; readonly negative: Weighing },
  context: RunContext,
): Promise<LoadedPipe> {
  const parts = await loaded(given, context);
  let targets = { model: parts.model, clip: parts.clip };
  for (const [name, ofModel, ofClip] of [
    ...(given.optional_lora_stack ?? []),
    [given.lora_name, given.lora_model_strength, given.lora_clip_strength] as const,
  ]) {
    if (name === 'None') continue;
    targets = applyLoraFile(targets, name, { model: ofModel, clip: ofClip }, context);
  }
  const [width, height] =
    given.resolution === CUSTOM
      ? [given.empty_latent_width, given.empty_latent_height]
      : (given.resolution.split(' x ').map(Number) as [number, number]);
  const latent = await emptyLatentImage.run({ width, height, batch_size: given.batch_size }, context);
  const { clip_skip: clipSkip } = given;
  const shared = { clipSkip, a1111Style: prompts.a1111Style };
  const positive = await encodePrompt(
    targets,
    { ...shared, ...weighing.positive, text: prompts.positive },
    context,
  );
  const negative = await encodePrompt(
    positive,
    { ...shared, ...weighing.negative, text: prompts.negative },
    context,
  );
  return {
    model: negative.model,
    clip: negative.clip,
    vae: parts.vae,
    positive: positive.conditioning,
    negative: negative.conditioning,
    samples: latent.outputs[0],
    settings: { batchSize: given.batch_size },
  };
}

const A1111 = { normalization: 'mean', interpretation: 'A1111' } as const;
const COMFY = { normalization: 'none', interpretation: 'comfy' } as const;

/** EasyLoader for one way of weighing words. */
const simpleLoader = (name: string, displayName: string, description: string, weighing: Weighing) =>
  defineNode({
    name,
    displayName,
    category: 'EasyUse/Loaders',
    description,
    required: {
      ckpt_name: checkpointLoaderSimple.required.ckpt_name,
      ...model,
      positive: prompt,
      negative: prompt,
      batch_size: batchSize,
    },
    optional: { ...stacks, ...(weighing === A1111 && { a1111_prompt_style: a1111Style }) },
    outputs: [
      { type: PIPE_LINE, name: 'pipe' },
      { type: 'MODEL', name: 'model' },
      { type: 'VAE', name: 'vae' },
    ],
    async run({ positive, negative, ...given }, context) {
      const style = { positive, negative, a1111Style: given.a1111_prompt_style ?? false };
      const pipe = await pipeOf(given, style, { positive: weighing, negative: weighing }, context);
      return { outputs: [pipe, pipe.model, pipe.vae] };
    },
  });

export const a1111Loader = simpleLoader(
  'easy a1111Loader',
  'EasyLoader (A1111)',
  'Loads a model with its LoRA, and encodes prompts as A1111 weighs their words.',
  A1111,
);
export const comfyLoader = simpleLoader(
  'easy comfyLoader',
  'EasyLoader (Comfy)',
  'Loads a model with its LoRA, and encodes prompts as ComfyUI weighs their words.',
  COMFY,
);

export const fullLoader = defineNode({
  name: 'easy fullLoader',
  displayName: 'EasyLoader (Full)',
  category: 'EasyUse/Loaders',
  description: 'Loads a model with its LoRA, and encodes prompts as it is told.',
  required: {
    ckpt_name: combo((folders) => [...folders.list('checkpoints'), 'None']),
    config_name: combo(() => ['Default'], {
      default: 'Default',
      tooltip: 'A model is told by what is in its file.',
    }),
    ...model,
    positive: prompt,
    positive_token_normalization: normalization,
    positive_weight_interpretation: interpretation,
    negative: prompt,
    negative_token_normalization: normalization,
    negative_weight_interpretation: interpretation,
    batch_size: batchSize,
  },
  optional: {
    model_override: link('MODEL'),
    clip_override: link('CLIP'),
    vae_override: link('VAE'),
    ...stacks,
    a1111_prompt_style: a1111Style,
  },
  outputs: [
    { type: PIPE_LINE, name: 'pipe' },
    { type: 'MODEL', name: 'model' },
    { type: 'VAE', name: 'vae' },
    { type: 'CLIP', name: 'clip' },
    { type: 'CONDITIONING', name: 'positive' },
    { type: 'CONDITIONING', name: 'negative' },
    { type: 'LATENT', name: 'latent' },
  ],
  async run({ positive, negative, ...given }, context) {
    const style = { positive, negative, a1111Style: given.a1111_prompt_style ?? false };
    const weighing = {
      positive: {
        normalization: given.positive_token_normalization,
        interpretation: given.positive_weight_interpretation,
      },
      negative: {
        normalization: given.negative_token_normalization,
        interpretation: given.negative_weight_interpretation,
      },
    };
    const pipe = await pipeOf(given, style, weighing, context);
    return { outputs: [pipe, pipe.model, pipe.vae, pipe.clip, pipe.positive, pipe.negative, pipe.samples] };
  },
});

const loraInputs: InputSpecs = Object.fromEntries<InputSpec>(
  Array.from({ length: 10 }, (_, index) => index + 1).flatMap((number): [string, InputSpec][] => [
    [`lora_${number}_name`, combo((folders) => ['None', ...folders.list('loras')], { default: 'None' })],
    ...['strength', 'model_strength', 'clip_strength'].map((kind): [string, InputSpec] => [
      `lora_${number}_${kind}`,
      strength,
    ]),
  ]),
);

export const loraStack = defineNode({
  name: 'easy loraStack',
  displayName: 'EasyLoraStack',
  category: 'EasyUse/Loaders',
  description: 'LoRAs for a loader, with one strength each (simple) or two (advanced).',
  required: {
    toggle: boolean(),
    mode: combo(['simple', 'advanced']),
    num_loras: int({ default: 1, min: 1, max: 10 }),
  },
  optional: { optional_lora_stack: link(LORA_STACK), ...loraInputs },
  outputs: [{ type: LORA_STACK, name: 'lora_stack' }],
  run({ toggle, mode, num_loras, ...given }) {
    const before = given['optional_lora_stack'] ?? [];
    if (!toggle) return { outputs: [before] };
    const inputs = given as Readonly<Record<string, string | number | undefined>>;
    const own = Array.from({ length: num_loras }, (_, index) => `lora_${index + 1}`).flatMap(
      (name): LoraStack => {
        const file = inputs[`${name}_name`];
        if (typeof file !== 'string' || file === 'None') return [];
        const at = (kind: string) => Number(inputs[`${name}_${kind}`] ?? 1);
        return mode === 'simple'
          ? [[file, at('strength'), at('strength')]]
          : [[file, at('model_strength'), at('clip_strength')]];
      },
    );
    return { outputs: [[...before.filter(([name]) => name !== 'None'), ...own]] };
  },
});
