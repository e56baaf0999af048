/** Easy-Use's PIPE_LINE: a model, its prompts and its latents in one. */
import {
  combo,
  link,
  repeatLatentBatch,
  vaeEncode,
  type CustomType,
  type RunContext,
  type ValueOf,
} from '../../public.js';

/** What loaders and settings leave for a sampler. */
export interface EasySettings {
  readonly batchSize: number;
  readonly steps?: number;
  readonly cfg?: number;
  readonly samplerName?: string;
  readonly scheduler?: string;
  readonly denoise?: number;
  readonly seed?: number | bigint;
}

export interface EasyPipe {
  readonly model?: ValueOf<'MODEL'> | undefined;
  readonly clip?: ValueOf<'CLIP'> | undefined;
  readonly vae?: ValueOf<'VAE'> | undefined;
  readonly positive?: ValueOf<'CONDITIONING'> | undefined;
  readonly negative?: ValueOf<'CONDITIONING'> | undefined;
  readonly samples?: ValueOf<'LATENT'> | undefined;
  readonly images?: ValueOf<'IMAGE'> | undefined;
  readonly settings: EasySettings;
}

/** LoRAs by name, with their strengths of model and text encoders. */
export type LoraStack = readonly (readonly [name: string, model: number, clip: number])[];

export const PIPE_LINE = 'PIPE_LINE' as CustomType<EasyPipe>;
export const LORA_STACK = 'LORA_STACK' as CustomType<LoraStack>;
export const CONTROL_NET_STACK = 'CONTROL_NET_STACK' as CustomType<never>;
export const XYPLOT = 'XYPLOT' as CustomType<never>;

export const pipeLink = link(PIPE_LINE);

/** What an image becomes: latents of it, as many as the batch has. */
export async function latentsOf(
  image: ValueOf<'IMAGE'>,
  vae: ValueOf<'VAE'>,
  batchSize: number,
  context: RunContext,
): Promise<ValueOf<'LATENT'>> {
  const encoded = await vaeEncode.run({ pixels: image, vae }, context);
  const repeated = await repeatLatentBatch.run({ samples: encoded.outputs[0], amount: batchSize }, context);
  return repeated.outputs[0];
}

/** A part of a pipe that a node can't do without. */
export function needed<Value>(value: Value | undefined, part: string): Value {
  if (value === undefined)
    throw new TypeError(`the pipe has no ${part}: link a loader, or the ${part} itself`);
  return value;
}

const INTERPRETATIONS = ['comfy', 'A1111', 'comfy++', 'compel', 'fixed attention'] as const;
export const normalization = combo(['none', 'mean', 'length', 'length+mean']);
export const interpretation = combo(INTERPRETATIONS, {
  tooltip: 'How weights of words count: comfy or A1111. The others are not here.',
});

export type Interpretation = (typeof INTERPRETATIONS)[number];
