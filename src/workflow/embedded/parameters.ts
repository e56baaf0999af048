/**
 * A1111's parameters ("infotext", modules/infotext_utils.py): the prompt, the negative one after `Negative prompt:`, and a last
 * line `Steps: 20, Sampler: Euler a, …` whose values may stand in quotes.
 */

export interface Parameters {
  readonly prompt: string;
  readonly negative: string;
  /** By name in small letters. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Characters of the last line. */
const MAX_FIELDS = 20_000;

/** Undefined for a text that has no such last line. */
export function readParameters(text: string): Parameters | undefined {
  const lines = text.replaceAll('\r\n', '\n').trim().split('\n');
  const last = lines.findLastIndex((line) => /^\s*Steps:\s*\d/i.test(line));
  if (last < 0) return undefined;
  const before = lines.slice(0, last);
  const at = before.findIndex((line) => /^\s*Negative prompt:/i.test(line));
  const positive = at < 0 ? before : before.slice(0, at);
  const negative = at < 0 ? [] : before.slice(at);
  return {
    prompt: positive.join('\n').trim(),
    negative: negative
      .join('\n')
      .replace(/^\s*Negative prompt:/i, '')
      .trim(),
    fields: readFields(lines.slice(last).join(' ').slice(0, MAX_FIELDS).replaceAll(/\s+/g, ' ')),
  };
}

function readFields(line: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  // A name, a colon, and a JSON text or all up to the next comma (A1111's re_param).
  for (const [, name = '', quoted, plain = ''] of line.matchAll(
    /\s*([\w ./-]{1,60}?):\s*(?:("(?:\\.|[^\\"])*")|([^,]*))(?:,|$)/g,
  )) {
    fields.set(name.trim().toLowerCase(), quoted === undefined ? plain.trim() : unquoted(quoted));
  }
  return fields;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}
