/** Decimal digits of doubles, rounded as Python rounds them: from the exact value, halves to the even digit. */

/** value·10^places as a whole number; `value` is finite and not negative. */
export function scaled(value: number, places: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponentBits = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const mantissa = exponentBits === 0 ? fraction : fraction | 0x10_0000_0000_0000n;
  const exponent = Math.max(exponentBits, 1) - 1075;
  const power = 10n ** BigInt(Math.abs(places));
  const numerator = mantissa * (places > 0 ? power : 1n) * (exponent > 0 ? 1n << BigInt(exponent) : 1n);
  const denominator = (places < 0 ? power : 1n) * (exponent < 0 ? 1n << BigInt(-exponent) : 1n);
  const quotient = numerator / denominator;
  const twice = (numerator - quotient * denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** `'%.{places}f' % value` of a finite value that isn't negative. */
export function fixedDigits(value: number, places: number): string {
  const digits = scaled(value, places)
    .toString()
    .padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** The digits of `'%.{places}e' % value`, and the power of ten of the first. */
export function exponentialDigits(
  value: number,
  places: number,
): { readonly digits: string; readonly exponent: number } {
  if (value === 0) return { digits: '0'.repeat(places + 1), exponent: 0 };
  let exponent = Number(value.toExponential().split('e')[1]);
  let digits = scaled(value, places - exponent).toString();
  // 9.99 becomes 10.0.
  if (digits.length > places + 1) {
    exponent++;
    digits = scaled(value, places - exponent).toString();
  }
  return { digits, exponent };
}

/** `round(value, places)`. */
export function roundTo(value: number, places: number): number {
  if (!Number.isFinite(value) || places > 400) return value;
  if (places < -400) return 0 * value;
  const whole = scaled(Math.abs(value), places).toString();
  const rounded = Number(`${whole}e${-places}`);
  return value < 0 || Object.is(value, -0) ? -rounded : rounded;
}
