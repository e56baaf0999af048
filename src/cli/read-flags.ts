/** Numbers as flags have them. */
import { UsageError } from './exit-codes.js';

/** A number, where the flag is given. Throws `UsageError`. */
export function readNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new UsageError(`${flag} must be a number, not ${JSON.stringify(text)}`);
}

/** A whole number from `min` to `max`. Throws `UsageError`. */
export function readInteger(
  flag: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new UsageError(`${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
}

/** Two whole numbers, as 512x768. Throws `UsageError`. */
export function readPair(flag: string, text: string): [number, number] {
  const match = /^(\d+)[x×](\d+)$/.exec(text);
  if (match !== null) return [Number(match[1]), Number(match[2])];
  throw new UsageError(`${flag} must be like 512x768, not ${JSON.stringify(text)}`);
}
