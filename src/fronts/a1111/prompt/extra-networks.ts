/** `<lora:name:weight>` in prompts (modules/extra_networks.py, extensions-builtin/Lora/extra_networks_lora.py). */
import { nearestHint } from '../../../nearest-names.js';
import { shorten } from '../../../safe-text.js';
import { HttpFault } from '../fault.js';

export interface PromptLora {
  /** As the models folder lists it. */
  readonly file: string;
  readonly model: number;
  readonly clip: number;
}

export interface ParsedNetworks {
  /** The prompt without them. */
  readonly text: string;
  readonly loras: readonly PromptLora[];
}

const NETWORK = /<(\w+):([^>]+)>/g;

/**
 * Takes the networks out of a prompt. Names are file names without folder and extension, as in A1111; those with them serve as well.
 * Throws `HttpFault` (422) for a LoRA that isn't there and for kinds of networks that there aren't here.
 */
export function parseNetworks(prompt: string, listed: readonly string[]): ParsedNetworks {
  const loras: PromptLora[] = [];
  const text = prompt.replaceAll(NETWORK, (_whole, kind: string, written: string) => {
    loras.push(...networkOf(kind, written, listed));
    return '';
  });
  return { text, loras };
}

function networkOf(kind: string, written: string, listed: readonly string[]): readonly PromptLora[] {
  if (kind !== 'lora' && kind !== 'lyco') {
    throw new HttpFault(
      422,
      `<${shorten(kind, 30)}:…> in a prompt: there are no such networks here; lora and lyco can be used`,
    );
  }
  const parts = written.split(':');
  const named = new Map(
    parts.filter((part) => part.includes('=')).map((part) => part.split('=', 2) as [string, string]),
  );
  const [name = '', ...weights] = parts.filter((part) => !part.includes('='));
  // The first weight is the text encoder's, the second the network's; either may be named.
  const clip = weightOf(named.get('te') ?? weights[0], 1, name);
  const model = weightOf(named.get('unet') ?? weights[1], clip, name);
  return [{ file: findNamed(name, listed), model, clip }];
}

function weightOf(written: string | undefined, otherwise: number, name: string): number {
  if (written === undefined) return otherwise;
  const weight = Number(written);
  if (written.trim() !== '' && Number.isFinite(weight) && Math.abs(weight) <= 100) return weight;
  throw new HttpFault(
    422,
    `<lora:${shorten(name, 60)}:…>: the weight ${JSON.stringify(shorten(written, 30))} is no number from -100 to 100`,
  );
}

function findNamed(name: string, listed: readonly string[]): string {
  const low = name.toLowerCase();
  const stem = (file: string) => file.replace(/\.[^./]+$/, '');
  const base = (file: string) => stem(file).split('/').at(-1)!;
  const found =
    listed.find((file) => file === name || stem(file) === name) ??
    listed.find((file) => base(file) === name) ??
    listed.find((file) => stem(file).toLowerCase() === low || base(file).toLowerCase() === low);
  if (found !== undefined) return found;
  throw new HttpFault(
    422,
    `there is no LoRA ${JSON.stringify(shorten(name))}${nearestHint(name, listed.map(base))}`,
  );
}
