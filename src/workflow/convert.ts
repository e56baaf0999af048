/** What ComfyUI makes of a literal before it checks bounds: Python's `int()`, `float()`, `str()` and `bool()` of it. */
import { pythonFloat } from '../python-float.js';
import { isLiteralObject, pythonRepr, pythonStr, type Literal } from './literal.js';

/** A literal that Python would not convert; the message is Python's. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

/** Python reads no longer integers (sys.int_info.default_max_str_digits): it takes time by the square of their length. */
export const MAX_DIGITS = 4300;

export function tooManyDigits(count: number): string {
  return `Exceeds the limit (${MAX_DIGITS} digits) for integer string conversion: value has ${count} digits`;
}

/** Python's `int`: floats lose their fraction, texts must be whole decimal numbers. Throws `ConversionError`. */
export function toInt(value: Literal): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'number':
      if (Number.isFinite(value)) return BigInt(Math.trunc(value));
      throw new ConversionError('cannot convert float infinity to integer');
    case 'string':
      if (/^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) {
        const digits = value.trim().replaceAll('_', '').replace(/^\+/, '');
        if (digits.length > MAX_DIGITS) throw new ConversionError(tooManyDigits(digits.length));
        return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
      }
      throw new ConversionError(`invalid literal for int() with base 10: ${pythonRepr(value)}`);
    default:
      throw new ConversionError(
        `int() argument must be a string, a bytes-like object or a real number, not '${pythonType(value)}'`,
      );
  }
}

/** Python's `float`, but for `nan`, which no bound would stop. Throws `ConversionError`. */
export function toFloat(value: Literal): number {
  switch (typeof value) {
    case 'number':
      return value;
    case 'bigint':
      return Number(value);
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return floatFromText(value);
    default:
      throw new ConversionError(
        `float() argument must be a string or a real number, not '${pythonType(value)}'`,
      );
  }
}

function floatFromText(text: string): number {
  const digits = String.raw`\d+(?:_\d+)*`;
  const number = new RegExp(
    String.raw`^\s*[+-]?(?:${digits}(?:\.(?:${digits})?)?|\.${digits})(?:[eE][+-]?${digits})?\s*$`,
  );
  if (number.test(text)) return Number(text.replaceAll('_', ''));
  const infinite = /^\s*([+-]?)inf(?:inity)?\s*$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  throw new ConversionError(`could not convert string to float: ${pythonRepr(text)}`);
}

/** Python's `str`: `true` becomes `True`, `5.0` stays `5.0`. */
export function toText(value: Literal): string {
  return pythonStr(value);
}

/** Python's `bool`: nothing, zero and what is empty are false; so `"false"` is true. */
export function toBoolean(value: Literal): boolean {
  if (isLiteralObject(value)) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value);
}

/** A number as ComfyUI's messages write it. */
export function formatNumber(value: number | bigint, kind: 'INT' | 'FLOAT'): string {
  return kind === 'FLOAT' ? pythonFloat(Number(value)) : value.toString();
}

function pythonType(value: Literal): string {
  if (value === null) return 'NoneType';
  return Array.isArray(value) ? 'list' : 'dict';
}
