/** What ComfyUI makes of a literal before it checks bounds: Python's `int()`, `float()`, `str()` and `bool()` of it. */
import { floatOf, intOf, MAX_DIGITS, tooManyDigits } from '../python/numbers.js';
import { pythonFloat } from '../python-float.js';
import { isLiteralObject, pythonRepr, pythonStr, type Literal } from './literal.js';

/** A literal that Python would not convert; the message is Python's. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
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
      {
        const whole = intOf(value);
        if (whole !== undefined) return whole;
        const digits = value.replace(/[\s_+-]/g, '');
        if (/^\d+$/.test(digits) && digits.length > MAX_DIGITS) {
          throw new ConversionError(tooManyDigits(digits.length));
        }
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
  const value = floatOf(text);
  if (value !== undefined && !Number.isNaN(value)) return value;
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
