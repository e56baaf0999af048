/** Numbers in eight bits, from their types' definitions (OCP 8-bit floating point, 2023; torch's float8 types). */

/** Bits of mantissa, bias of the exponent, and which codes are no numbers. */
const types = {
  F8_E4M3: { mantissa: 3, bias: 7, isNaN: (code: number) => (code & 127) === 127, isInfinite: () => false },
  F8_E5M2: {
    mantissa: 2,
    bias: 15,
    isNaN: (code: number) => (code & 127) > 124,
    isInfinite: (code: number) => (code & 127) === 124,
  },
  F8_E4M3FNUZ: { mantissa: 3, bias: 8, isNaN: (code: number) => code === 128, isInfinite: () => false },
  F8_E5M2FNUZ: { mantissa: 2, bias: 16, isNaN: (code: number) => code === 128, isInfinite: () => false },
} as const;

export type CodeType = keyof typeof types;

/** The value of a code, in float64. */
export function codeValue(type: CodeType, code: number): number {
  const { mantissa, bias, isNaN, isInfinite } = types[type];
  if (isNaN(code)) return NaN;
  const sign = code & 128 ? -1 : 1;
  if (isInfinite(code)) return sign * Infinity;
  const exponent = (code & 127) >> mantissa;
  const fraction = (code & ((1 << mantissa) - 1)) / (1 << mantissa);
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

/** The code nearest to each value. */
export function narrowToCodes(type: CodeType, values: Float32Array): Uint8Array {
  const known = Array.from({ length: 256 }, (_, code) => [code, codeValue(type, code)] as const)
    .filter(([, value]) => Number.isFinite(value))
    .sort(([, a], [, b]) => a - b);
  return Uint8Array.from(values, (value) => {
    const above = known.findIndex(([, candidate]) => candidate >= value);
    const near = known.slice(Math.max(0, above - 1), above + 1);
    const [first = known.at(-1)!, second = first] = above < 0 ? [] : near;
    return Math.abs(first[1] - value) <= Math.abs(second[1] - value) ? first[0] : second[0];
  });
}
