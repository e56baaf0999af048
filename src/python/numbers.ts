/** Numbers in texts, as Python's `int` and `float` read them. */

/** Python reads no longer integers (sys.int_info.default_max_str_digits): it takes time by the square of their length. */
export const MAX_DIGITS = 4300;

export function tooManyDigits(count: number): string {
  return `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion: value has ${count} digits`;
}

/** `int(text)`; undefined for what is no whole decimal number, or too long a one. */
export function intOf(text: string): bigint | undefined {
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(text)) return undefined;
  const digits = text.trim().replaceAll('_', '').replace(/^\+/, '');
  if (digits.replace('-', '').length > MAX_DIGITS) return undefined;
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
const FLOAT = new RegExp(
  String.raw`^\s*[+-]?(?:${DIGITS}(?:\.(?:${DIGITS})?)?|\.${DIGITS})(?:[eE][+-]?${DIGITS})?\s*$`,
);

/** `float(text)`, infinities and NaN included; undefined for what is no number. */
export function floatOf(text: string): number | undefined {
  if (FLOAT.test(text)) return Number(text.replaceAll('_', ''));
  const named = /^\s*([+-]?)(inf(?:inity)?|nan)\s*$/i.exec(text);
  if (named === null) return undefined;
  if (named[2]!.toLowerCase() === 'nan') return Number.NaN;
  return named[1] === '-' ? -Infinity : Infinity;
}
