/** What A1111 writes into pictures about how they came about (modules/processing.py, create_infotext; modules/infotext_utils.py). */
import type { InfoFields } from './drawing.js';

export interface PictureInfo {
  readonly prompt: string;
  readonly negative: string;
  readonly fields: InfoFields;
}

/** Prompt, negative prompt and a line of fields. */
export function writeInfotext({ prompt, negative, fields }: PictureInfo): string {
  const line = Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${quote(String(value))}`]))
    .join(', ');
  const negativeLine = negative === '' ? '' : `\nNegative prompt: ${negative}`;
  return `${prompt}${negativeLine}\n${line}`.trim();
}

function quote(text: string): string {
  return /[,\n:]/.test(text) ? JSON.stringify(text) : text;
}

const FIELD = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
const SIZE = /^(\d+)x(\d+)$/;

/** What A1111 adds where a text has none of it. */
const MISSING: Readonly<Record<string, string | number>> = {
  'Clip skip': '1',
  'Hires resize-1': 0,
  'Hires resize-2': 0,
  'Hires sampler': 'Use same sampler',
  'Hires schedule type': 'Use same scheduler',
  'Hires checkpoint': 'Use same checkpoint',
  'Hires prompt': '',
  'Hires negative prompt': '',
  'Mask mode': 'Inpaint masked',
  'Masked content': 'original',
  'Inpaint area': 'Whole picture',
  'Masked area padding': 32,
  RNG: 'GPU',
  'Schedule type': 'Automatic',
  'Schedule max sigma': 0,
  'Schedule min sigma': 0,
  'Schedule rho': 0,
  'VAE Encoder': 'Full',
  'VAE Decoder': 'Full',
  'FP8 weight': 'Disable',
};

/** Longer ones are no infotext. */
const MAX_LENGTH = 200_000;

/** Fields by name; a size becomes NAME-1 and NAME-2. */
export function parseInfotext(text: string): Readonly<Record<string, string | number>> {
  const lines = text.slice(0, MAX_LENGTH).trim().split('\n');
  const last = lines.pop()!;
  const found = last.length > MAX_LENGTH / 10 ? [] : [...last.matchAll(FIELD)];
  if (found.length < 3) lines.push(last);
  const parts = { prompt: [] as string[], negative: [] as string[] };
  let part: keyof typeof parts = 'prompt';
  for (const line of lines.map((each) => each.trim())) {
    if (line.startsWith('Negative prompt:')) part = 'negative';
    parts[part].push(line.startsWith('Negative prompt:') ? line.slice(16).trim() : line);
  }
  const fields = new Map<string, string | number>([
    ['Prompt', parts.prompt.join('\n')],
    ['Negative prompt', parts.negative.join('\n')],
  ]);
  for (const [, name, written = ''] of found.length < 3 ? [] : found) {
    const value = unquote(written);
    const size = SIZE.exec(value);
    if (size === null) fields.set(name!, value);
    else {
      fields.set(`${name!}-1`, size[1]!);
      fields.set(`${name!}-2`, size[2]!);
    }
  }
  for (const [name, value] of Object.entries(MISSING)) if (!fields.has(name)) fields.set(name, value);
  return Object.fromEntries(fields);
}

function unquote(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
