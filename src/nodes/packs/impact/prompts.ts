/** Prompts that choose words and name LoRAs (modules/impact/wildcards.py, process_with_loras). */
import {
  applyLoraFile,
  clipTextEncode,
  compileRegex,
  conditioningConcat,
  type RunContext,
  type ValueOf,
} from '../../public.js';
import { populate, readWildcards } from './wildcards.js';

export interface PromptWithLoras {
  readonly model: ValueOf<'MODEL'>;
  readonly clip: ValueOf<'CLIP'>;
  readonly conditioning: ValueOf<'CONDITIONING'>;
  /** The text with its choices made, LoRAs included. */
  readonly text: string;
}

/** What a prompt is encoded with: CLIPTextEncode where nothing else is given. */
export type PromptEncoder = (
  clip: ValueOf<'CLIP'>,
  text: string,
) => Promise<ValueOf<'CONDITIONING'>> | ValueOf<'CONDITIONING'>;

/**
 * Makes a text's choices, applies the LoRAs that it names, and encodes the rest, in parts where `BREAK` stands. `seed` undefined
 * leaves choices to chance no more than a seed of 0 does.
 */
export async function encodeWithLoras(
  given: { readonly model: ValueOf<'MODEL'>; readonly clip: ValueOf<'CLIP'> },
  written: string,
  seed: bigint,
  context: RunContext,
  encode: PromptEncoder = (clip, text) => encodePlain(clip, text, context),
): Promise<PromptWithLoras> {
  const text = populate(written, seed, readWildcards(context.folders));
  let { model, clip } = given;
  for (const { name, strengths, hasBlocks } of lorasIn(text)) {
    const file = loraFile(name, context);
    if (file === undefined) {
      context.warn(`there is no LoRA ${name}: it is passed over`);
      continue;
    }
    if (hasBlocks) context.warn(`LBW= of ${name} is passed over: all of its blocks count alike`);
    ({ model, clip } = applyLoraFile({ model, clip }, file, strengths, context));
  }
  const parts = text
    .replaceAll(/<lora:[^>]+>/gu, '')
    .split('BREAK')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  let conditioning: ValueOf<'CONDITIONING'> | undefined;
  for (const part of parts.length === 0 ? [''] : parts) {
    const encoded = await encode(clip, part);
    conditioning = conditioning === undefined ? encoded : await joined(conditioning, encoded, context);
  }
  return { model, clip, conditioning: conditioning!, text };
}

async function encodePlain(
  clip: ValueOf<'CLIP'>,
  text: string,
  context: RunContext,
): Promise<ValueOf<'CONDITIONING'>> {
  const { outputs } = await clipTextEncode.run({ clip, text }, context);
  return outputs[0];
}

async function joined(
  first: ValueOf<'CONDITIONING'>,
  second: ValueOf<'CONDITIONING'>,
  context: RunContext,
): Promise<ValueOf<'CONDITIONING'>> {
  const { outputs } = await conditioningConcat.run(
    { conditioning_to: first, conditioning_from: second },
    context,
  );
  return outputs[0];
}

interface NamedLora {
  readonly name: string;
  readonly strengths: { readonly model: number; readonly clip: number };
  readonly hasBlocks: boolean;
}

const TAG = compileRegex('<lora:([^>]+)>');
const NUMBER = /^-?(?:\d*\.?\d+|\d+\.?\d*)$/u;

/** `<lora:NAME:MODEL:CLIP:LBW=…>`; of a name that comes again, the first counts. */
function lorasIn(text: string): NamedLora[] {
  const found = new Map<string, NamedLora>();
  for (const { groups } of TAG.findAll(text)) {
    const [name = '', ...rest] = groups[1]!
      .replaceAll(/^:+|:+$/gu, '')
      .replaceAll(/LBW=[A-Za-z][A-Za-z0-9_-]*:/gu, 'LBW=')
      .split(':');
    const [model = 1, clip = model] = rest.filter((part) => NUMBER.test(part)).map(Number);
    const hasBlocks = rest.some((part) => part.startsWith('LBW='));
    if (!found.has(name)) found.set(name, { name, strengths: { model, clip }, hasBlocks });
  }
  return [...found.values()];
}

const EXTENSIONS = /\.(?:ckpt|pt|pt2|bin|pth|safetensors|pkl|sft)$/u;

/** The file whose path ends with the name. */
function loraFile(name: string, { folders }: RunContext): string | undefined {
  const file = (EXTENSIONS.test(name) ? name : `${name}.safetensors`).replaceAll('\\', '/');
  return folders.list('loras').find((listed) => listed.endsWith(file));
}
